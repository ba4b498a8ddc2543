"""Lets PEFT take adapters out of the weights of llama-tied (PiSSA, OLoRA), and records what it takes, computes and converts.

Usage: python src/test/python/make_taken_factor_goldens.py [NAME ...]

Writes goldens/models/llama-tied/variants/NAME, for the base and the batch of llama-tied:
    adapter/              the factors as they were taken, before any training
    expected.json         loss and tokens of the batch, for each mode
    expected.safetensors  <mode>.grad.<tensor> of that loss; residual.<weight>: what is left of each weight (mode lora_f32);
                          after5.<tensor>: the adapter after five clipped AdamW steps (mode lora_f32)
    converted/            that adapter for the base as it was, by path_initial_model_for_weight_conversion (PEFT leaves DoRA's magnitudes
                          out, so there is none of a DoRA)
In mode qlora_nf4_dq what is left is quantised. transformers 5.24, peft 0.21, on a CPU, eager attention.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import torch
from make_family_goldens import FOLDER, linears, load, nf4, robust, run, save_adapter
from make_saved_module_goldens import steps, stored_name
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file

LLAMA = FOLDER / "llama-tied"
VARIANTS = {
    "pissa": dict(init_lora_weights="pissa", r=4, lora_alpha=6, target_modules=["q_proj", "v_proj", "down_proj"]),
    "pissa-dora": dict(init_lora_weights="pissa", r=4, lora_alpha=6, target_modules=["k_proj", "up_proj"], use_rslora=True,
                       use_dora=True),
    "olora": dict(init_lora_weights="olora", r=4, lora_alpha=6, target_modules=["k_proj", "o_proj", "gate_proj"],
                  rank_pattern={"o_proj": 3}, alpha_pattern={"layers.0.mlp.gate_proj": 2}),
    "olora-rslora": dict(init_lora_weights="olora", r=4, lora_alpha=3, target_modules=["up_proj"], use_rslora=True),
}


def taken(name):
    return get_peft_model(load(LLAMA / "base"), LoraConfig(task_type="CAUSAL_LM", **VARIANTS[name]))


def bases(model):
    """The module of each weight that an adapter was taken out of."""
    return {name.removeprefix("base_model.model.").removesuffix(".base_layer") + ".weight": module
            for name, module in model.named_modules() if name.endswith(".base_layer")}


def quantise(model):
    for name, module in linears(model).items():
        if "lora_" not in name:
            assert robust(module.weight.data), f"a code of {name} hangs on the last bits"
            module.weight.data.copy_(nf4(module.weight.data)[0])
    # DoRA's magnitudes are those of the quantised weights, as PEFT has them where the base is loaded so
    for module in model.modules():
        if getattr(module, "use_dora", {}).get("default"):
            magnitude = module.lora_magnitude_vector["default"]
            norm = magnitude.get_weight_norm(
                module.get_base_layer().weight, module.lora_B["default"].weight @ module.lora_A["default"].weight,
                module.scaling["default"])
            magnitude.weight.data.copy_(norm)


def trained(model):
    return {stored_name(name): parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def key(name):
    return name.replace("lora_magnitude_vector.weight", "lora_magnitude_vector")


def convert(model, initial, folder):
    folder.mkdir()
    with tempfile.TemporaryDirectory() as made:
        model.save_pretrained(made, path_initial_model_for_weight_conversion=str(initial))
        for file in ("adapter_config.json", "adapter_model.safetensors"):
            shutil.copy(Path(made) / file, folder)
    for file in (initial / "adapter_config.json", folder / "adapter_config.json"):  # PEFT writes the first one again
        config = json.loads(file.read_text())
        config.update(base_model_name_or_path="base", target_modules=sorted(config["target_modules"]))
        file.write_text(json.dumps(config, indent=2, sort_keys=True))


def make(name, batch):
    folder = LLAMA / "variants" / name
    shutil.rmtree(folder, ignore_errors=True)
    tensors, numbers = {}, {}
    for mode in ("lora_f32", "qlora_nf4_dq"):
        model = taken(name)
        if mode == "lora_f32":
            model.peft_config["default"].init_lora_weights = True
            save_adapter(model, folder / "adapter")
            tensors.update({f"residual.{weight}": module.weight.data.clone() for weight, module in bases(model).items()})
        else:
            quantise(model)
        loss, tokens, _, gradients = run(model, trained(model), batch)
        tensors.update({f"{mode}.grad.{key(tensor)}": gradient.clone() for tensor, gradient in gradients.items()})
        numbers[mode] = dict(loss_sum=loss, n_tokens=tokens)
        if mode == "lora_f32":
            _, after = steps(model, trained(model), batch)
            tensors.update({f"after5.{key(tensor)}": value for tensor, value in after.items()})
            if not VARIANTS[name].get("use_dora"):
                convert(model, folder / "adapter", folder / "converted")
    save_file(tensors, folder / "expected.safetensors")
    (folder / "expected.json").write_text(json.dumps(numbers, indent=1) + "\n")
    print(name, numbers)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    documents = json.loads((LLAMA / "batch.json").read_text())
    for variant in VARIANTS:
        if variant in sys.argv[1:] or len(sys.argv) == 1:
            make(variant, documents)
