"""Writes a model of random bf16 weights in the shape of Llama, with the tokenizer of another folder.

    python random_model.py --tokenizer FOLDER --shape 3b OUTPUT
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
from pathlib import Path

import numpy as np

# hidden, inner, layers, heads, key heads, whether the head is the embedding
SHAPES = {
    "1b": (2048, 5632, 22, 16, 4, False),
    "3b": (3072, 8192, 28, 24, 8, True),
    "13b": (5120, 13824, 40, 40, 40, False),
}
HEAD_SIZE = 128
PIECE = 1 << 24
# of SplitMix64, so that pieces differ
STEP = 0x9E3779B97F4A7C15


def tensors(shape: tuple, vocabulary: int) -> dict[str, tuple[int, ...]]:
    """Shapes by name, layer by layer."""
    hidden, inner, layers, heads, key_heads, tied = shape
    found = {"model.embed_tokens.weight": (vocabulary, hidden)}
    for layer in range(layers):
        path = f"model.layers.{layer}"
        queries, keys = heads * HEAD_SIZE, key_heads * HEAD_SIZE
        found |= {
            f"{path}.input_layernorm.weight": (hidden,),
            f"{path}.self_attn.q_proj.weight": (queries, hidden),
            f"{path}.self_attn.k_proj.weight": (keys, hidden),
            f"{path}.self_attn.v_proj.weight": (keys, hidden),
            f"{path}.self_attn.o_proj.weight": (hidden, queries),
            f"{path}.post_attention_layernorm.weight": (hidden,),
            f"{path}.mlp.gate_proj.weight": (inner, hidden),
            f"{path}.mlp.up_proj.weight": (inner, hidden),
            f"{path}.mlp.down_proj.weight": (hidden, inner),
        }
    found["model.norm.weight"] = (hidden,)
    if not tied:
        found["lm_head.weight"] = (vocabulary, hidden)
    return found


def config(shape: tuple, like: dict) -> dict:
    """The config of ``like``, but for the sizes."""
    hidden, inner, layers, heads, key_heads, tied = shape
    return like | {
        "hidden_size": hidden,
        "intermediate_size": inner,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": key_heads,
        "head_dim": HEAD_SIZE,
        "tie_word_embeddings": tied,
    }


def bf16(values: np.ndarray) -> np.ndarray:
    return (values.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)


def header(shapes: dict[str, tuple[int, ...]]) -> bytes:
    entries: dict = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, shape in shapes.items():
        end = at + 2 * math.prod(shape)
        entries[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def write(output: Path, shape: tuple, tokenizer: Path) -> None:
    """Normal numbers of deviation 0.02; each piece is one that was drawn once, from another place on."""
    output.mkdir(parents=True)
    like = json.loads((tokenizer / "config.json").read_text())
    shapes = tensors(shape, like["vocab_size"])
    drawn = bf16(np.random.default_rng(0).normal(0, 0.02, PIECE))
    place = 0
    with (output / "model.safetensors").open("wb") as file:
        file.write(header(shapes))
        for tensor in shapes.values():
            count = math.prod(tensor)
            if len(tensor) == 1:
                file.write(bf16(np.ones(count)).tobytes())
                continue
            for at in range(0, count, PIECE):
                place = (place + STEP) % PIECE
                np.roll(drawn, place)[: min(PIECE, count - at)].tofile(file)
    (output / "config.json").write_text(json.dumps(config(shape, like), indent=2))
    for name in ("tokenizer.json", "tokenizer_config.json", "generation_config.json"):
        shutil.copy(tokenizer / name, output / name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    write(arguments.output, SHAPES[arguments.shape], arguments.tokenizer)


if __name__ == "__main__":
    main()
