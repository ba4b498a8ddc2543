"""Compare exported GGUF files with the gguf package and transformers.

    python check_gguf_exports.py JOB RESULT

JOB is {"adapters": {name: {"base", "merged", "lora"}}, "files": {type: path}}: model folders and a GGUF LoRA, and one model's files. RESULT gets
the largest difference of logits between the merged model and the base with the LoRA added by hand, and of each type how many tensors
the package's own quantiser makes of the numbers in the f32 file, and how many of them are other bytes.
"""

import json
import sys

import gguf
import numpy as np
import torch
from transformers import AutoModelForCausalLM

MODULES = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
           "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj"}


def numbers(tensor):
    return gguf.dequantize(tensor.data, tensor.tensor_type).reshape(tuple(reversed(tensor.shape.tolist())))


def apart(rows, heads):
    """The halves of each head's rows one after the other, as Hugging Face has them."""
    return rows.reshape(heads, rows.shape[0] // heads // 2, 2, -1).swapaxes(1, 2).reshape(rows.shape)


def logits(model):
    ids = torch.tensor([[1, 17, 40, 9, 81, 5, 66, 120, 33, 2]])
    with torch.no_grad():
        return model.eval()(input_ids=ids).logits[0]


def load(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")


def with_lora(model, path):
    reader = gguf.GGUFReader(path)
    alpha = reader.fields["adapter.lora.alpha"].contents()
    tensors = {tensor.name: numbers(tensor) for tensor in reader.tensors}
    state = model.state_dict()
    for name in [name for name in tensors if name.endswith(".lora_a")]:
        a, b = tensors[name], tensors[name[:-1] + "b"]
        _, layer, kind, _, _ = name.split(".")
        heads = {"attn_q": model.config.num_attention_heads, "attn_k": model.config.num_key_value_heads}
        b = apart(b, heads[kind]) if kind in heads else b
        state[f"model.layers.{layer}.{MODULES[kind]}.weight"] += torch.from_numpy(alpha / b.shape[1] * (b @ a))
    model.load_state_dict(state)
    return model


def compared(adapter):
    base, merged = logits(load(adapter["base"])), logits(load(adapter["merged"]))
    by_hand = logits(with_lora(load(adapter["base"]), adapter["lora"]))
    return dict(difference=(by_hand - merged).abs().max().item(), effect=(base - merged).abs().max().item())


def requantized(exact, path, kind):
    own = [tensor for tensor in gguf.GGUFReader(path).tensors if tensor.tensor_type == kind]
    others = [t.name for t in own if not np.array_equal(gguf.quantize(exact[t.name], kind).reshape(-1).view(np.uint8), t.data.reshape(-1).view(np.uint8))]
    return dict(tensors=len(own), others=others)


if __name__ == "__main__":
    job = json.load(open(sys.argv[1]))
    exact = {tensor.name: numbers(tensor) for tensor in gguf.GGUFReader(job["files"]["f32"]).tensors}
    result = dict(
        adapters={name: compared(adapter) for name, adapter in job["adapters"].items()},
        types={kind: requantized(exact, path, gguf.GGMLQuantizationType[kind.upper()]) for kind, path in job["files"].items()})
    json.dump(result, open(sys.argv[2], "w"))
