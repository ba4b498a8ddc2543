"""Makes a small Llama model, adapter and batch a rotary scaling, and records what transformers and PEFT compute from them.

Usage: python src/test/python/make_rotary_model_goldens.py [NAME ...]

Writes goldens/models/rotary-*: the files that make_family_goldens.py writes, without full_f32. Every document runs alone and with a rotary
embedding of its own: under dynamic scaling transformers otherwise gives all rows of a batch, and shorter batches after it, the frequencies of the
longest. transformers 5.24, peft 0.21, on a CPU, eager attention.
"""

import json
import shutil
import sys

import torch
import transformers
from make_family_goldens import COMMON, FOLDER, load, make_adapter, make_batch, packed, run, save_filled
from peft import PeftModel
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

SCALINGS = {
    "rotary-linear": (64, dict(rope_type="linear", factor=4.0)),
    # the documents have 16, 11 and 7 tokens: two are longer than the original context, each by its own length
    "rotary-dynamic": (8, dict(rope_type="dynamic", factor=3.0)),
    # of the eight pairs one is kept, four are stretched in part and three whole; cosines and sines grow by 1.14
    "rotary-yarn": (64, dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=16, beta_fast=2.0, beta_slow=0.25)),
}


def make_base(folder, positions, scaling, seed):
    torch.manual_seed(seed)
    config = AutoConfig.for_model("llama", **{
        **COMMON, "head_dim": 16, "tie_word_embeddings": True, "max_position_embeddings": positions,
        "rope_parameters": dict(scaling, rope_theta=100.0)})
    save_filled(AutoModelForCausalLM.from_config(config, dtype=torch.float32), folder, seed)


def with_fresh_rotary(model, scaled=True):
    """The model, its rotary embedding as it was before it saw any sequence, or one without scaling."""
    inner = model.get_base_model().model
    config = inner.config if scaled else AutoConfig.for_model(
        "llama", **{**COMMON, "head_dim": 16, "rope_parameters": dict(rope_type="default", rope_theta=100.0)})
    inner.rotary_emb = type(inner.rotary_emb)(config)
    return model


def documents(batch):
    """One batch a document, padding cut off."""
    for i, mask in enumerate(batch["attention_mask"]):
        yield {key: [values[i][: sum(mask)]] for key, values in batch.items()}


def run_alone(model, batch, scaled=True):
    """Loss sum, number of trained tokens, padded logits, and gradients of the mean loss, of documents that run one by one."""
    parameters = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    losses, counts, padded = [], [], torch.zeros(len(batch["input_ids"]), len(batch["input_ids"][0]), COMMON["vocab_size"])
    sums = {name: 0 for name in parameters}
    for i, document in enumerate(documents(batch)):
        model.zero_grad(set_to_none=True)
        loss, tokens, logits, gradients = run(with_fresh_rotary(model, scaled), parameters, document)
        losses.append(loss)
        counts.append(tokens)
        padded[i, : logits.shape[1]] = logits[0]
        sums = {name: total + gradients[name.replace(".default", "")] * tokens for name, total in sums.items()}
    return sum(losses), sum(counts), padded, {name.replace(".default", ""): total / sum(counts) for name, total in sums.items()}


def make_expected(folder, batch):
    tensors, numbers = {}, {"versions": {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__}}
    for mode in ("lora_f32", "qlora_nf4_dq"):
        model = PeftModel.from_pretrained(load(folder / "base", mode == "qlora_nf4_dq"), folder / "adapter", is_trainable=True)
        unscaled = run_alone(model, batch, scaled=False)[2]
        loss, tokens, logits, gradients = run_alone(model, batch)
        assert (logits - unscaled).abs().max() > 0.1, "The scaling must tell"
        numbers[mode] = dict(loss_sum=loss, n_tokens=tokens)
        tensors[f"{mode}.logits"] = logits
        tensors.update({f"{mode}.grad.{name}": gradient for name, gradient in gradients.items()})
    save_file(tensors, folder / "expected.safetensors")
    (folder / "expected.json").write_text(json.dumps(numbers, indent=1) + "\n")
    print(folder.name, numbers)


def make(name, seed):
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    make_base(folder / "base", *SCALINGS[name], seed)
    make_adapter(folder / "base", folder / "adapter", seed + 100)
    batch = make_batch(seed)
    (folder / "batch.json").write_text(json.dumps(batch) + "\n")
    (folder / "packed.json").write_text(json.dumps(packed(batch, 40)) + "\n")
    make_expected(folder, batch)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for seed, name in enumerate(SCALINGS, start=81):
        if name in sys.argv[1:] or len(sys.argv) == 1:
            make(name, seed)
