"""Makes two small tokenizers and records what the reference implementation does with them (transformers 5.24.0, tokenizers 0.23.3).

Usage: python src/test/python/make_tokenizer_goldens.py [MODEL_FOLDER OUTPUT]
Without arguments writes goldens/tokenizers/{bytes,pieces}. `bytes` is a byte-level BPE with ChatML tokens and digits split, as
SmolLM2's; `pieces` is a BPE over SentencePiece-like pieces with byte fallback that puts BOS before a text, as Llama 2's.
With arguments records the same strings for another model, to compare by hand.
"""

import json
import pathlib
import sys

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer

ROOT = pathlib.Path(__file__).parents[1]
FOLDER = ROOT / "resources/goldens/tokenizers"
TEMPLATES = ROOT / "resources/goldens/templates"
CORPUS = [line for file in sorted(TEMPLATES.glob("*.jinja")) for line in file.read_text().splitlines()] + [
    "The quick brown fox jumps over the lazy dog. It's what they'd said, isn't it?",
    "def read(self, count):\n    return self.source.read(count)\n",
    "Fine-tune large language models with low-rank adapters on a cluster of machines.",
    "naïve café, Zürich, Ærøskøbing; 日本語 中文 한국어; привет мир; שלום; مرحبا; 🙂🙃👩‍👩‍👧‍👦🇫🇷",
    "user assistant system question answer hello world please thank you number 12345 67890",
]
AWKWARD = [
    "", " ", "  ", "\n", "\n\n\n", "\t", " \n \t ", "\r\n", "a\r\nb\rc", "Hello", " Hello", "Hello ", "  Hello  world  ", "hello world",
    "It's what they'd said", "I'M HERE, YOU'RE THERE", "0", "12345", "3.14159e-10", "1,000,000", "a1b2c3", "snake_case camelCase kebab-case",
    "def f(x):\n    return x\n", "if (a && b) { c++; } // d", "https://example.org/a?b=c&d=%20", "café", "cafe\u0301", "naïve Zürich Ærøskøbing",
    "日本語", "中文 和 English", "한국어", "привет мир", "שלום", "مرحبا", "ελληνικά", "नमस्ते", "🙂", "a🙂b", "👩‍👩‍👧‍👦", "🇫🇷🇩🇪", "👍🏽!", "\u0000",
    "\u2028\u2029", "\ufeffbom", "\u00a0nbsp\u3000wide", "a\u200bb", "<|im_start|>user\nhi<|im_end|>\n", "<|im_start|", "<s>x</s>", "</s>",
    "a" * 300, "\ue000\U0010fffd", "ﬁ ½ ²", "İıſ", "\x7f\x1b[0m",
]


def special(text):
    return AddedToken(text, special=True, normalized=False)


def make_bytes(folder):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=900, special_tokens=names, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    config = {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>", "unk_token": "<|endoftext|>", "pad_token": "<|im_end|>"}
    save(folder, tokenizer, {**config, "chat_template": (TEMPLATES / "chatml.jinja").read_text()})


def make_pieces(folder):
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    names = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]"]
    bytes_ = [f"<0x{value:02X}>" for value in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=800, special_tokens=names + bytes_, limit_alphabet=120, show_progress=False)
    tokenizer.train_from_iterator((" " + line for line in CORPUS), trainer)
    state = json.loads(tokenizer.to_str())
    state["added_tokens"] = [token for token in state["added_tokens"] if token["content"] in names]
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
    config = {"bos_token": "<s>", "eos_token": {"__type": "AddedToken", "content": "</s>", "special": True}, "unk_token": "<unk>"}
    save(folder, tokenizer, config)
    (folder / "chat_template.jinja").write_text((TEMPLATES / "mistral.jinja").read_text())


def save(folder, tokenizer, config):
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.enable_truncation(8)  # what a training run may have left behind; must not count
    (folder / "tokenizer.json").write_text(tokenizer.to_str(pretty=False))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False, **config}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")


def record(folder):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    cases = []
    for text in AWKWARD:
        whole, bare = tokenizer.encode(text), tokenizer.encode(text, add_special_tokens=False)
        cases.append({
            "text": text,
            "ids": whole.ids,
            "bare": bare.ids,
            "offsets": bare.offsets,
            "decoded": tokenizer.decode(whole.ids, skip_special_tokens=True),
            "decoded_with_specials": tokenizer.decode(whole.ids, skip_special_tokens=False),
        })
    return cases


def record_conversations(folder, template):
    """Ids by apply_chat_template, and the assistant's mask by a template with generation blocks."""
    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    marking = (TEMPLATES / "chatml-generation.jinja").read_text()
    cases = []
    for golden in json.loads((TEMPLATES / f"{template}.json").read_text()).values():
        messages = golden["messages"]
        if template == "chatml" and messages[0]["role"] != "system":
            continue  # this template adds a system turn, which the marking one does not
        case = {"messages": messages, "tools": golden["tools"]}
        case["ids"] = tokenizer.apply_chat_template(messages, tools=golden["tools"], return_dict=True)["input_ids"]
        if template == "chatml":
            marked = tokenizer.apply_chat_template(
                messages, chat_template=marking, return_dict=True, return_assistant_tokens_mask=True
            )
            assert marked["input_ids"] == case["ids"]
            case["trained"] = marked["assistant_masks"]
        cases.append(case)
    return cases


def write(path, cases):
    path.write_text("[\n" + ",\n".join(json.dumps(case, ensure_ascii=True) for case in cases) + "\n]\n")


def main():
    if len(sys.argv) == 3:
        write(pathlib.Path(sys.argv[2]), record(pathlib.Path(sys.argv[1])))
        return
    make_bytes(FOLDER / "bytes")
    make_pieces(FOLDER / "pieces")
    for name, template in (("bytes", "chatml"), ("pieces", "mistral")):
        write(FOLDER / f"{name}.json", record(FOLDER / name))
        write(FOLDER / f"{name}-conversations.json", record_conversations(FOLDER / name, template))


if __name__ == "__main__":
    main()
