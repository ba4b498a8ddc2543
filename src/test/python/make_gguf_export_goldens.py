"""Write src/test/resources/goldens/gguf/export: small models, and the GGUF files that llama.cpp makes of them.

    python3 -m venv V && V/bin/pip install -r src/test/python/requirements.txt sentencepiece pyyaml
    V/bin/python src/test/python/make_gguf_export_goldens.py LLAMA_CPP LLAMA_QUANTIZE [NAME ...]

LLAMA_CPP is a checkout of llama.cpp and LLAMA_QUANTIZE its program built from it. The weights are those of goldens/models, under
configs that a GGUF file can hold and with tokenizers as small as their vocabularies. convert_hf_to_gguf.py makes f32, f16, bf16 and
q8_0, llama-quantize makes q4_0 and q4_k_m of f32, and convert_lora_to_gguf.py the adapter's file, unless it is one of experts, which
the script does not read. Of each, only hashes are kept.

The converter tells byte-level pre-tokenizers apart by a checksum, which no small vocabulary has: it is told the name instead.
"""

import hashlib
import json
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

LLAMA_CPP, LLAMA_QUANTIZE = Path(sys.argv[1]), Path(sys.argv[2])
sys.path[:0] = [str(LLAMA_CPP), str(LLAMA_CPP / "gguf-py")]

import gguf
import sentencepiece
from conversion.base import ModelBase, ModelType, TextModel
from safetensors.torch import load_file, save_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import AutoConfig

from make_gguf_model_goldens import MODELS, SPECS

FOLDER = Path(__file__).parents[1] / "resources/goldens/gguf/export"
WORDS = "the quick brown fox jumps over the lazy dog and then the dog jumps over the fox 1234567890".split()
SPLIT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
TEMPLATE = "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
GENERATION = dict(do_sample=True, temperature=0.6, top_k=20, top_p=0.95, repetition_penalty=1.05)
# name: model, changes to its config beside those of make_gguf_model_goldens, tokenizer, generation_config.json
EXPORTS = {
    "llama-linear-1.5B-Chat": ("llama-linear", "pieces", None),
    "llama-yarn": ("llama-yarn", "smollm", None),
    "llama3-v2": ("llama3", "llama-bpe", GENERATION),
    "mistral-7B-Instruct-v0.3": ("mistral", "derived", None),
    "qwen2.5-0.5b-instruct": ("qwen2", "qwen2", GENERATION),
    "qwen3": ("qwen3", "qwen2", None),
    "gemma2": ("gemma2", "pieces", None),
    "gemma3": ("gemma3-windows", "pieces", None),
    "granite-3.1-small-base": ("granite", "gpt-2", None),
    "olmo2": ("olmo2", "gpt-2", None),
    "phi3": ("phi3", "pieces", None),
    "smollm3": ("smollm3", "llama-bpe", None),
    "olmo3": ("olmo3", "gpt-2", None),
    "ministral3": ("ministral3", "llama-bpe", None),
    "granite-4.0-350m": ("granite4", "gpt-2", None),
    "qwen3.5-0.8b": ("qwen35", "qwen2", GENERATION),
    "qwen3.5-sections": ("qwen35-sections", "qwen2", None),
    "qwen3-moe": ("qwen3moe", "qwen2", None),
    "gemma4": ("gemma4-rows", "gemma4", GENERATION),
    "gemma4-keys": ("gemma4-keys", "gemma4", None),
    "qwen3-moe-a1b": ("qwen3moe-down", "qwen2", GENERATION),
}
SECTIONS = dict(rope_type="default", rope_theta=100.0, partial_rotary_factor=0.25, mrope_section=[1, 1, 0], mrope_interleaved=True)
GEMMA3_ROPE = {"full_attention": dict(rope_type="default", rope_theta=1000.0), "sliding_attention": dict(rope_type="default", rope_theta=100.0)}
GEMMA3 = dict(query_pre_attn_scalar=16, rope_parameters=GEMMA3_ROPE, layer_types=["sliding_attention"] * 2)  # both of the first five
MORE = {
    "mistral": ("mistral-window", "llama", dict(sliding_window=None), None),
    "qwen35-sections": ("qwen3_5_text-square", "qwen35", dict(rope_parameters=SECTIONS), None),
    "gemma3-windows": ("gemma3_text", "gemma3", GEMMA3, None),
    "gemma4-rows": ("gemma4_text", "gemma4", dict(vocab_size_per_layer_input=128), None),
    "gemma4-keys": ("gemma4_text-keys", "gemma4", {}, None),
    "qwen3moe-down": ("qwen3_moe-down", "qwen3moe", dict(norm_topk_prob=True), None),
}
OUT_TYPES = ["f32", "f16", "bf16", "q8_0", "q4_0", "q4_k_m"]


def pre_tokenizer(name):
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=name in ("gpt-2", "smollm"))
    steps = {
        "gpt-2": [],
        "smollm": [pre_tokenizers.Digits(individual_digits=True)],
        "llama-bpe": [pre_tokenizers.Split(Regex(SPLIT % r"\p{N}{1,3}"), "isolated")],
        "qwen2": [pre_tokenizers.Split(Regex(SPLIT % r"\p{N}"), "isolated")],
    }[name]
    return pre_tokenizers.Sequence([*steps, byte_level]) if steps else byte_level


def byte_level(name):
    letters = ["\u0120"] + [chr(code) for code in range(0x21, 0x7F)]
    merges = [("t", "h"), ("th", "e"), ("\u0120", "the"), ("o", "v"), ("ov", "e"), ("ove", "r")]
    tokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *letters, *("".join(pair) for pair in merges)]
    bpe = models.BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=merges, ignore_merges=name == "llama-bpe")
    tokenizer = Tokenizer(bpe)
    tokenizer.normalizer = normalizers.NFC() if name == "qwen2" else None
    tokenizer.pre_tokenizer = pre_tokenizer(name)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    if name == "llama-bpe":
        begin = processors.TemplateProcessing(
            single="<|im_start|> $A", pair="<|im_start|> $A <|im_start|>:1 $B:1", special_tokens=[("<|im_start|>", 1)])
        tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), begin])
    tokenizer.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in tokens[:3]])
    tokenizer.add_tokens([AddedToken("<tool>", normalized=False), AddedToken("<|tool|>", normalized=False)])
    return tokenizer.to_str(pretty=False), dict(bos_token="<|im_start|>", eos_token="<|im_end|>", pad_token="<|endoftext|>")


def sentence_pieces(target):
    with open(target / "tokenizer.model", "wb") as model:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter([" ".join(WORDS[i:] + WORDS[:i]) for i in range(len(WORDS))]), model_writer=model, vocab_size=90,
            model_type="bpe", minloglevel=2, hard_vocab_limit=False, user_defined_symbols=["[INST]"])
    added = {"90": dict(content="<|end|>", special=True), "91": dict(content="▁▁▁", special=False), "92": dict(content="<unused1>", special=False)}
    roles = dict(bos_token="<s>", eos_token=dict(content="</s>"), unk_token="<unk>", pad_token="<|end|>", add_bos_token=True, add_eos_token=False)
    return dict(tokenizer_class="LlamaTokenizer", added_tokens_decoder=added, **roles)


def derived():
    letters = ["▁"] + sorted(set("".join(WORDS)))
    merges = [("t", "h"), ("th", "e"), ("▁", "the"), ("o", "v"), ("ov", "e"), ("ove", "r")]
    tokens = ["<unk>", "<s>", "</s>", "<0x0A>", *letters, *("".join(pair) for pair in merges)]
    bpe = models.BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    tokenizer = Tokenizer(bpe)
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    tokenizer.decoder = decoders.Sequence(steps)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)])
    tokenizer.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in tokens[:3]])
    return tokenizer.to_str(pretty=False), dict(tokenizer_class="LlamaTokenizerFast", bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def gemma4(size):
    """Roles and bytes among the pieces, two tokens beside them, and as many as the embedding has rows."""
    control = ["<pad>", "<bos>", "<eos>", "<unk>", "<mask>", "<|channel>", "<channel|>", "<start_of_turn>", "<0x0A>", "<0x41>"]
    letters = ["\u2581"] + sorted(set("".join(WORDS)))
    merges = [("t", "h"), ("th", "e"), ("\u2581", "the"), ("o", "v"), ("ov", "e"), ("ove", "r"), ("\u2581", "\u2581")]
    tokens = control + letters + ["".join(pair) for pair in merges]
    tokens += [f"<unused{i}>" for i in range(size - 2 - len(tokens))]
    tokenizer = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "\u2581")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<bos> $A", pair="<bos> $A <bos>:1 $B:1", special_tokens=[("<bos>", 1)])
    tokenizer.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in [*control[:8], "<|image|>"]])
    tokenizer.add_tokens([AddedToken("<|tool|>", normalized=False)])
    roles = dict(bos_token="<bos>", eos_token="<eos>", unk_token="<unk>", pad_token="<pad>", mask_token="<mask>", image_token="<|image|>")
    return tokenizer.to_str(pretty=False), dict(extra_special_tokens=["<start_of_turn>"], **roles)


def cut_rows(target, base, rows):
    """The embedding of each layer with a row for each token alone, as llama.cpp wants it."""
    name = "model.embed_tokens_per_layer.weight"
    weights = load_file(MODELS / base / "base/model.safetensors")
    weights[name] = weights[name][:rows].contiguous()
    save_file(weights, target / "model.safetensors", {"format": "pt"})


def write_tokenizer(target, name):
    if name == "pieces":
        config = sentence_pieces(target)
    else:
        text, config = derived() if name == "derived" else gemma4(128) if name == "gemma4" else byte_level(name)
        (target / "tokenizer.json").write_text(text, encoding="utf-8")
        config.setdefault("tokenizer_class", "PreTrainedTokenizerFast")
    if name == "qwen2":
        (target / "chat_template.jinja").write_text(TEMPLATE)
    else:
        config["chat_template"] = TEMPLATE
    (target / "tokenizer_config.json").write_text(json.dumps(config, indent=1, ensure_ascii=False) + "\n")


def convert(script, split, *arguments):
    """Runs the converter, told the name of the pre-tokenizer."""
    TextModel.get_vocab_base_pre = lambda *_: split
    ModelBase.no_mtp = True  # no model here predicts several tokens
    sys.argv = [script, *map(str, arguments)]
    runpy.run_path(str(LLAMA_CPP / script), run_name="__main__")


def convert_lora(split, *arguments):
    """
    As convert does it, without two mistakes of convert_lora_to_gguf.py: of a Ministral 3 it writes no adapter but the model's metadata, and
    of a Granite 4, whose layers transformers 5 calls full_attention, an adapter of Mamba layers.
    """
    from conversion.granite import GraniteHybridModel
    from conversion.mistral3 import Mistral3Model

    classes = ModelBase._model_classes[ModelType.TEXT]
    whole, attention_layers = classes["Ministral3ForCausalLM"], GraniteHybridModel.get_attn_layers
    classes["Ministral3ForCausalLM"] = Mistral3Model.Ministral3Model
    GraniteHybridModel.get_attn_layers = lambda model: list(range(model.block_count))
    try:
        convert("convert_lora_to_gguf.py", split, *arguments)
    finally:
        classes["Ministral3ForCausalLM"], GraniteHybridModel.get_attn_layers = whole, attention_layers


def described(path):
    reader = gguf.GGUFReader(path)
    metadata = {}
    for key, field in reader.fields.items():
        value = field.contents()
        kinds = ".".join(t.name for t in field.types)
        metadata[key] = [kinds, value if len(repr(value)) < 200 else hashlib.sha256(repr(value).encode()).hexdigest()]
    tensors = {t.name: t.tensor_type.name + " " + hashlib.sha256(t.data.tobytes()).hexdigest()[:16] for t in reader.tensors}
    return dict(name=path.name, sha256=hashlib.sha256(path.read_bytes()).hexdigest(), metadata=metadata, tensors=tensors)


def assemble(target, name):
    model, tokenizer, generation = EXPORTS[name]
    base, _, changes, _ = SPECS.get(model) or MORE[model]
    target.mkdir(parents=True)
    AutoConfig.from_pretrained(MODELS / base / "base", **changes).save_pretrained(target)
    if base == "granitemoehybrid":  # the name of layers in published configs, and the only one that the converter knows
        config = target / "config.json"
        config.write_text(config.read_text().replace('"full_attention"', '"attention"'))
    write_tokenizer(target, tokenizer)
    if "vocab_size_per_layer_input" in changes:
        cut_rows(target, base, changes["vocab_size_per_layer_input"])
    if generation:
        (target / "generation_config.json").write_text(json.dumps(generation, indent=1) + "\n")
    return base, tokenizer if tokenizer not in ("pieces", "derived", "gemma4") else "default"


def tokenizer_of(name):
    return EXPORTS[name][1]


def make(name):
    kept = FOLDER / name
    shutil.rmtree(kept, ignore_errors=True)
    base, split = assemble(kept, name)
    with tempfile.TemporaryDirectory() as temporary:
        model, out = Path(temporary) / "in" / name, Path(temporary) / "out"
        shutil.copytree(kept, model)
        out.mkdir()
        for file in (MODELS / base / "base").glob("*.safetensors*"):
            if not (model / file.name).exists():
                shutil.copy(file, model)
        files = {}
        for out_type in OUT_TYPES:
            there = set(out.iterdir())
            if out_type in ("q4_0", "q4_k_m"):
                f32 = next(out.glob("*F32.gguf"))
                subprocess.run([LLAMA_QUANTIZE, f32, out / f32.name.replace("F32", out_type.upper()), out_type, "1"], check=True, capture_output=True)
            else:
                convert("convert_hf_to_gguf.py", split, model, "--outtype", out_type, "--outfile", out)
            files[out_type] = described((set(out.iterdir()) - there).pop())
        adapter = Path(temporary) / "tuned-lora"
        shutil.copytree(MODELS / base / "adapter", adapter)
        for out_type in () if base.startswith("qwen3_moe") else ("f32", "f16", "q8_0"):
            there = set(adapter.iterdir())
            convert_lora(split, adapter, "--base", model, "--outtype", out_type)
            files["lora-" + out_type] = described((set(adapter.iterdir()) - there).pop())
    for key, file in files.items():
        if (tokenizer_of(name), key) != ("derived", "f16"):
            del file["metadata"]  # its bytes are in the hash of the file
    expected = dict(base=base, files=files)
    (kept / "expected.json").write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n")
    print(name, {key: file["name"] for key, file in files.items()})


if __name__ == "__main__":
    os.environ["HF_HUB_OFFLINE"] = "1"
    for chosen in sys.argv[3:] or list(EXPORTS):
        make(chosen)
