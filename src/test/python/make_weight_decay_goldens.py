"""Records which weights transformers' Trainer decays, and five steps of full fine-tuning with its optimiser.

Usage: python src/test/python/make_weight_decay_goldens.py

Writes goldens/models/weight-decay.json (the undecayed names a family) and, beside qwen2-bias, which has norms and biases,
decay.safetensors (full_f32.after5.<tensor>) and decay.json (six mean losses). Batch and clipping are those of goldens/models/README.md.
torch 2.15, transformers 5.24, on a CPU, one thread.
"""

import json
import tempfile

import torch
from make_family_goldens import FAMILIES as MADE
from make_family_goldens import FOLDER, load
from safetensors.torch import save_file
from transformers import Trainer, TrainingArguments

FAMILIES = ["llama-tied", "llama-sharded", "mistral-window", "qwen2-bias", "qwen3-qknorm", *MADE]
TRAINED = "qwen2-bias"
RATE, DECAY = 1e-3, 5


def trainer(model):
    with tempfile.TemporaryDirectory() as folder:
        return Trainer(model, TrainingArguments(
            folder, learning_rate=RATE, weight_decay=DECAY, optim="adamw_torch", use_cpu=True, report_to=[]))


def undecayed(model):
    decayed = set(trainer(model).get_decay_parameter_names(model))
    return sorted(name for name, _ in model.named_parameters() if name not in decayed)


def mean_loss(model, batch):
    ids, labels, mask = (torch.tensor(batch[key]) for key in ("input_ids", "labels", "attention_mask"))
    logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
    return torch.nn.functional.cross_entropy(logits[:, :-1].reshape(-1, logits.shape[-1]), labels[:, 1:].reshape(-1))


def record(model, batch):
    optimizer = trainer(model).create_optimizer()
    print([(group["lr"], group["weight_decay"], len(group["params"])) for group in optimizer.param_groups])
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = mean_loss(model, batch)
        loss.backward()
        losses.append(loss.item())
        torch.nn.utils.clip_grad_norm_(list(model.parameters()), 1.0, foreach=False)
        optimizer.step()
    losses.append(mean_loss(model, batch).item())
    return losses, {f"full_f32.after5.{name}": parameter.detach().clone() for name, parameter in model.named_parameters()}


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    names = {family: undecayed(load(FOLDER / family / "base", False)) for family in FAMILIES}
    (FOLDER / "weight-decay.json").write_text(json.dumps(names, indent=1) + "\n")
    model = load(FOLDER / TRAINED / "base", False).eval().requires_grad_(True)
    losses, after = record(model, json.loads((FOLDER / TRAINED / "batch.json").read_text()))
    save_file(after, FOLDER / TRAINED / "decay.safetensors")
    (FOLDER / TRAINED / "decay.json").write_text(json.dumps(dict(full_f32=dict(losses=losses)), indent=1) + "\n")
