"""Stores models of goldens in FP8, and what transformers makes of them.

Usage: python src/test/python/make_float8_goldens.py

Writes goldens/float8/<form>: base holds the projections of a model in E4M3, with a scale of each matrix beside one of its inputs (tensors, as
Ministral 3 is published) or a scale of each block (blocks and experts, as Qwen 3 is), expected.safetensors these projections as transformers dequantises them
where there is no GPU. transformers 5.24, accelerate 1.15.
"""

import json
import shutil

import torch
from make_family_goldens import FOLDER
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoModelForImageTextToText

GOLDENS = FOLDER.parent
LARGEST = 448.0
FORMS = {
    "tensors": (
        GOLDENS / "wrapped/ministral3/base",
        AutoModelForImageTextToText,
        None,
        ["model.vision_tower", "model.multi_modal_projector", "lm_head"],
    ),
    "blocks": (FOLDER / "qwen3-qknorm/base", AutoModelForCausalLM, [16, 32], ["lm_head"]),
    "experts": (FOLDER / "qwen3_moe-experts/base", AutoModelForCausalLM, [8, 8], ["lm_head"]),
}


def scaled(weight, block):
    """Codes and scales of a matrix."""
    rows, columns = weight.shape
    height, width = block or (rows, columns)
    blocks = weight.float().reshape(rows // height, height, columns // width, width)
    scales = blocks.abs().amax(dim=(1, 3)) / LARGEST
    codes = (blocks / scales[:, None, :, None]).reshape(rows, columns).to(torch.float8_e4m3fn)
    return codes, scales if block else scales.reshape(())


def store(source, target, block, left):
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    tensors = {}
    for name, weight in load_file(source / "model.safetensors").items():
        if name.endswith("_proj.weight") and "vision" not in name:
            tensors[name], tensors[name + "_scale_inv"] = scaled(weight, block)
            if not block:
                tensors[name.removesuffix("weight") + "activation_scale"] = torch.tensor(0.02)
        else:
            tensors[name] = weight.to(torch.bfloat16)
    save_file(tensors, target / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((source / "config.json").read_text())
    config["dtype"] = "bfloat16"
    config["quantization_config"] = dict(
        activation_scheme="dynamic" if block else "static",
        modules_to_not_convert=left,
        quant_method="fp8",
        weight_block_size=block,
    )
    (target / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def projections(model):
    """By the names of a checkpoint, which holds each expert's apart."""
    for name, weight in model.state_dict().items():
        if name.endswith("experts.gate_up_proj"):
            for expert, both in enumerate(weight):
                for part, half in zip(("gate_proj", "up_proj"), both.chunk(2)):
                    yield f"{name.removesuffix('gate_up_proj')}{expert}.{part}.weight", half.contiguous()
        elif name.endswith("experts.down_proj"):
            for expert, own in enumerate(weight):
                yield f"{name.removesuffix('down_proj')}{expert}.down_proj.weight", own.contiguous()
        elif name.endswith("_proj.weight") and "vision" not in name:
            yield name, weight.contiguous()


for form, (source, kind, block, left) in FORMS.items():
    folder = GOLDENS / "float8" / form
    store(source, folder / "base", block, left)
    model = kind.from_pretrained(folder / "base", dtype=torch.bfloat16)
    expected = dict(projections(model))
    assert all(weight.dtype == torch.bfloat16 for weight in expected.values())
    save_file(expected, folder / "expected.safetensors")
    print(form, len(expected), "projections")
