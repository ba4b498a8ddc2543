"""Puts models of goldens/models into those that see images as well, as transformers and PEFT store them.

Usage: python src/test/python/make_wrapped_goldens.py [FAMILY ...]

Writes goldens/wrapped/<family>: base and adapter hold the text weights of goldens/models/<family> beside a small vision tower, which the
batch there does not meet. transformers 5.24, peft 0.21.
"""

import json
import shutil
import sys

import torch
from make_family_goldens import FOLDER, run
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForImageTextToText

WRAPPED = FOLDER.parent / "wrapped"
VISION = {
    "qwen3_5_text": ("qwen3_5", dict(depth=1, hidden_size=16, intermediate_size=16, num_heads=2, patch_size=4, out_hidden_size=32,
                                     num_position_embeddings=16)),
    "ministral3": ("mistral3", dict(model_type="pixtral", num_hidden_layers=1, hidden_size=16, intermediate_size=16, num_attention_heads=2,
                                    head_dim=8, patch_size=4, image_size=16)),
    "gemma4_text": ("gemma4", dict(num_hidden_layers=1, hidden_size=16, intermediate_size=16, num_attention_heads=2, num_key_value_heads=2,
                                   head_dim=8, patch_size=4, position_embedding_size=16)),
}


def wrapper(family):
    kind, vision = VISION[family]
    text = json.loads((FOLDER / family / "base/config.json").read_text())
    config = AutoConfig.for_model(kind, text_config=text, vision_config=vision, tie_word_embeddings=text["tie_word_embeddings"])
    torch.manual_seed(1)
    return AutoModelForImageTextToText.from_config(config, dtype=torch.float32, attn_implementation="eager")


def fill(model, prefix, inner, weights):
    """Sets the weights, named in a text model, of a model in which they are named otherwise; all of them."""
    named = {**dict(model.named_buffers()), **dict(model.named_parameters())}
    for name, value in weights.items():
        other = name.replace(prefix, inner) if prefix in name else name
        named[other].data.copy_(value)


def make(family):
    folder = WRAPPED / family
    shutil.rmtree(folder, ignore_errors=True)
    model = wrapper(family)
    fill(model, "model.", "model.language_model.", load_file(FOLDER / family / "base/model.safetensors"))
    model.save_pretrained(folder / "base")
    (folder / "base/generation_config.json").unlink(missing_ok=True)
    own = json.loads((FOLDER / family / "adapter/adapter_config.json").read_text())
    names = sorted({name.rsplit(".", 1)[-1] for name in own["target_modules"]})
    peft = get_peft_model(model, LoraConfig(
        r=own["r"], lora_alpha=own["lora_alpha"], target_modules=rf".*language_model.*\.({'|'.join(names)})"))
    adapter = load_file(FOLDER / family / "adapter/adapter_model.safetensors")
    fill(peft, "model.model.model.", "model.model.model.language_model.",
         {name.replace("lora_A", "lora_A.default").replace("lora_B", "lora_B.default"): value for name, value in adapter.items()})
    peft.save_pretrained(folder / "adapter")
    (folder / "adapter/README.md").unlink(missing_ok=True)
    batch = json.loads((FOLDER / family / "batch.json").read_text())
    loss = run(peft, {n: p for n, p in peft.named_parameters() if p.requires_grad}, batch)[0]
    expected = json.loads((FOLDER / family / "expected.json").read_text())["lora_f32"]["loss_sum"]
    assert abs(loss / expected - 1) < 1e-6, (loss, expected)
    print(family, loss, expected)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for each in sys.argv[1:] or VISION:
        make(each)
