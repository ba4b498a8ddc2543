"""Makes small Llama models whose adapters hold embedding and head whole (PEFT's modules_to_save), and records what PEFT computes.

Usage: python src/test/python/make_saved_module_goldens.py [NAME ...]

Writes goldens/models/saved-*: the files that make_family_goldens.py writes, with five clipped AdamW steps as goldens/models/README.md
describes them, and merged.safetensors: every weight that changed, by merge_and_unload. transformers 5.24, peft 0.21, on a CPU, eager attention.
"""

import json
import shutil
import sys

import torch
import transformers
from make_family_goldens import COMMON, FOLDER, load, make_batch, packed, run, save_adapter, save_filled
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM

STEPS = 5
VARIANTS = {
    # an untied model: two matrices
    "saved-untied": (False, dict(modules_to_save=["embed_tokens", "lm_head"])),
    # a tied model that stays tied: one matrix under two names
    "saved-tied": (True, dict(modules_to_save=["embed_tokens"], ensure_weight_tying=True)),
    # a tied model whose head goes its own way: PEFT's default
    "saved-apart": (True, dict(modules_to_save=["lm_head"])),
}


def make_base(folder, tied, seed):
    torch.manual_seed(seed)
    config = AutoConfig.for_model(
        "llama", **COMMON, tie_word_embeddings=tied, rope_parameters=dict(rope_type="default", rope_theta=100.0))
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    save_filled(model, folder, seed)


def make_adapter(base, folder, saved, seed):
    torch.manual_seed(seed)
    config = LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=16, target_modules=["q_proj", "v_proj", "down_proj"], **saved)
    model = get_peft_model(load(base), config)
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            noise = torch.randn(parameter.shape, generator=generator)
            if "modules_to_save" in name:
                parameter.data.add_(0.02 * noise)
            else:
                parameter.data.copy_(noise * (0.1 if "lora_A" in name else 0.05))
    save_adapter(model, folder)


def stored_name(name):
    return name.replace(".modules_to_save.default", "").replace(".default", "")


def steps(model, parameters, batch):
    """The mean losses before each step, and the parameters after the last."""
    optimizer = torch.optim.AdamW(parameters.values(), lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01, foreach=False)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss, tokens, _, _ = run(model, parameters, batch)
        losses.append(loss / tokens)
        torch.nn.utils.clip_grad_norm_(parameters.values(), 1.0, foreach=False)
        optimizer.step()
    return losses, {name: parameter.detach().clone() for name, parameter in parameters.items()}


def make_expected(folder, batch):
    tensors, numbers = {}, {"versions": {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__}}
    stored = load_file(folder / "adapter/adapter_model.safetensors")
    for mode in ("lora_f32", "qlora_nf4_dq"):
        model = PeftModel.from_pretrained(load(folder / "base", mode == "qlora_nf4_dq"), folder / "adapter", is_trainable=True)
        parameters = {stored_name(name): parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
        assert set(parameters) <= set(stored), set(parameters) ^ set(stored)
        loss, tokens, logits, gradients = run(model, parameters, batch)
        tensors.update({f"{mode}.grad.{name}": gradient.clone() for name, gradient in gradients.items()})
        tensors[f"{mode}.logits"] = logits.contiguous()
        losses, after = steps(model, parameters, batch)
        tensors.update({f"{mode}.after5.{name}": value for name, value in after.items()})
        numbers[mode] = dict(loss_sum=loss, n_tokens=tokens, losses=losses)
    save_file(tensors, folder / "expected.safetensors")
    (folder / "expected.json").write_text(json.dumps(numbers, indent=1) + "\n")
    print(folder.name, sorted(stored)[-2:], numbers)


def make_merged(folder):
    before = load_file(folder / "base/model.safetensors")
    merged = PeftModel.from_pretrained(load(folder / "base"), folder / "adapter").merge_and_unload()
    weights = {name: value.clone() for name, value in merged.state_dict().items()}
    save_file({name: value for name, value in weights.items() if name not in before or not torch.equal(value, before[name])},
              folder / "merged.safetensors")


def make(name, seed):
    tied, saved = VARIANTS[name]
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    make_base(folder / "base", tied, seed)
    make_adapter(folder / "base", folder / "adapter", saved, seed + 100)
    batch = make_batch(seed)
    (folder / "batch.json").write_text(json.dumps(batch) + "\n")
    (folder / "packed.json").write_text(json.dumps(packed(batch, 40)) + "\n")
    make_expected(folder, batch)
    make_merged(folder)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for seed, name in enumerate(VARIANTS, start=61):
        if name in sys.argv[1:] or len(sys.argv) == 1:
            make(name, seed)
