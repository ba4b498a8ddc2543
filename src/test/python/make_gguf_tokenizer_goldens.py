"""Write src/test/resources/goldens/gguf/tokenizers: GGUF files that hold a tokenizer only, and the ids that SentencePiece gives texts.

    python3 -m venv V && V/bin/pip install gguf sentencepiece protobuf transformers && V/bin/python src/test/python/make_gguf_tokenizer_goldens.py

`llama` puts a blank before each stretch of text and BOS before the whole, as Llama 2 and Mistral; `gemma` puts no blank, and has
runs of blanks that were added whole. The ids are those of the sentencepiece library, a stretch between special tokens at a time,
as llama.cpp and the slow tokenizers of transformers do it. What transformers makes of the same file must agree: for `llama` with
its normalizer for Phi 3, since its own class for Llama puts the blank before the first stretch only.
"""

import io
import json
import pathlib
import random
import re

import gguf
import sentencepiece
from make_tokenizer_goldens import AWKWARD, CORPUS
from transformers.integrations.gguf.gguf_tokenizer_mapping import convert_gguf_tokenizer, get_gguf_tokenizer

FOLDER = pathlib.Path(__file__).parents[1] / "resources/goldens/gguf/tokenizers"
WORDS = [word for line in CORPUS for word in re.findall(r"\S+", line)]
GLUE = [" ", " ", " ", "  ", "   ", "\n", "\n\n", "\t", "", ", ", "\u00a0", "\u3000", "\u2581", "🙂", "</s>", "<s>", "[INST]", "[/INST]"]
CONTROL, USER_DEFINED = 3, 4


def texts():
    """The awkward ones, and words of the corpus with odd things between."""
    draw = random.Random(4)
    glued = ["".join(draw.choice(WORDS) + draw.choice(GLUE) for _ in range(draw.randint(1, 9))) for _ in range(250)]
    starts = [draw.choice(GLUE) + text for text in glued[:60]]
    return [text for text in AWKWARD + glued + starts if "\u0000" not in text]  # sentencepiece ends a text at NUL


def train(**options):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS), model_writer=model, vocab_size=700, model_type="bpe", byte_fallback=True,
        normalization_rule_name="identity", remove_extra_whitespaces=False, split_digits=True, minloglevel=2,
        allow_whitespace_only_pieces=True, character_coverage=0.99, **options)
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def kind(model, i):
    checks = {2: model.is_unknown, CONTROL: model.is_control, 5: model.is_unused, 6: model.is_byte}
    return next((kind for kind, check in checks.items() if check(i)), 1)


def write(path, architecture, model, user_defined, flags):
    pieces = [model.id_to_piece(i) for i in range(len(model))]
    kinds = [USER_DEFINED if piece in user_defined else kind(model, i) for i, piece in enumerate(pieces)]
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    # converters write blanks of pieces that were added whole as blanks
    writer.add_token_list([p.replace("▁", " ") if k == USER_DEFINED else p for p, k in zip(pieces, kinds)])
    writer.add_token_scores([model.get_score(i) for i in range(len(model))])
    writer.add_token_types(kinds)
    writer.add_bos_token_id(model.bos_id())
    writer.add_eos_token_id(model.eos_id())
    writer.add_unk_token_id(model.unk_id())
    for key, value in flags.items():
        writer.add_bool(f"tokenizer.ggml.{key}", value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def reference(model, specials):
    """Ids of a text without BOS."""
    cut = re.compile("(" + "|".join(re.escape(token) for token in sorted(specials, key=len, reverse=True)) + ")")

    def encode(text):
        ids = []
        for part in cut.split(text):
            ids += [model.piece_to_id(part)] if part in specials else model.encode(part) if part else []
        return ids

    return encode


def record(name, model, specials, flags):
    encode, cases = reference(model, specials), []
    tokenizer, _ = convert_gguf_tokenizer({"llama": "phi3", "gemma": "gemma2"}[name], get_gguf_tokenizer(str(FOLDER / f"{name}.gguf"))[1])
    for text in texts():
        ids = encode(text)
        theirs = tokenizer.encode(text, add_special_tokens=False).ids
        assert ids == theirs, (name, text, ids, theirs)
        tail = [model.eos_id()] if flags.get("add_eos_token") else []
        cases.append({"text": text, "bare": ids, "ids": [model.bos_id(), *ids, *tail],
                      "decoded": tokenizer.decode(ids, skip_special_tokens=False)})
    lines = ",\n".join(json.dumps(case, ensure_ascii=True) for case in cases)
    (FOLDER / f"{name}.json").write_text(f"[\n{lines}\n]\n")
    print(name, len(cases), "texts")


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    llama = train(control_symbols=["[INST]", "[/INST]"])
    write(FOLDER / "llama.gguf", "llama", llama, set(), {})
    record("llama", llama, ["<s>", "</s>", "[INST]", "[/INST]"], {})
    whole = [*("▁" * length for length in range(2, 17)), "\n\n", "[INST]"]
    gemma = train(add_dummy_prefix=False, user_defined_symbols=whole, control_symbols=["[/INST]"])
    flags = {"add_bos_token": True, "add_eos_token": True, "add_space_prefix": False}
    write(FOLDER / "gemma.gguf", "gemma2", gemma, set(whole), flags)
    record("gemma", gemma, ["<s>", "</s>", "[INST]", "[/INST]", "\n\n"], flags)


if __name__ == "__main__":
    main()
