"""Records five AdamW steps of PEFT's LoRA+ on the DoRA adapter of goldens/models/llama-tied.

Usage: python src/test/python/make_loraplus_goldens.py

Writes loraplus.safetensors (<mode>.after5.<tensor>) and loraplus.json (six mean losses a mode) beside the adapter. Batch, modes, clipping
and AdamW's other numbers are those of goldens/models/README.md. torch 2.15, transformers 5.24, peft 0.21, on a CPU, one thread.
"""

import json

import torch
from make_family_goldens import FOLDER, load
from peft import PeftModel
from peft.optimizers import create_loraplus_optimizer
from safetensors.torch import save_file

MODEL = FOLDER / "llama-tied"
VARIANT = MODEL / "variants/dora"
RATE, RATIO = 1e-4, 10


def mean_loss(model, batch):
    ids, labels, mask = (torch.tensor(batch[key]) for key in ("input_ids", "labels", "attention_mask"))
    logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
    return torch.nn.functional.cross_entropy(logits[:, :-1].reshape(-1, logits.shape[-1]), labels[:, 1:].reshape(-1))


def record(mode, batch):
    model = PeftModel.from_pretrained(load(MODEL / "base", mode == "qlora_nf4_dq"), VARIANT / "adapter", is_trainable=True).eval()
    optimizer = create_loraplus_optimizer(
        model, torch.optim.AdamW, lr=RATE, loraplus_lr_ratio=RATIO, loraplus_weight_decay=0.01, foreach=False)
    print(mode, [(group["lr"], group["weight_decay"], len(group["params"])) for group in optimizer.param_groups])
    trained = {name.replace(".default.weight", "" if "magnitude" in name else ".weight"): parameter
               for name, parameter in model.named_parameters() if parameter.requires_grad}
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = mean_loss(model, batch)
        loss.backward()
        losses.append(loss.item())
        torch.nn.utils.clip_grad_norm_(list(trained.values()), 1.0, foreach=False)
        optimizer.step()
    losses.append(mean_loss(model, batch).item())
    return losses, {f"{mode}.after5.{name}": parameter.detach().clone() for name, parameter in trained.items()}


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    batch = json.loads((MODEL / "batch.json").read_text())
    tensors, numbers = {}, {}
    for mode in ("lora_f32", "qlora_nf4_dq"):
        losses, after = record(mode, batch)
        numbers[mode] = dict(losses=losses)
        tensors.update(after)
    save_file(tensors, VARIANT / "loraplus.safetensors")
    (VARIANT / "loraplus.json").write_text(json.dumps(numbers, indent=1) + "\n")
