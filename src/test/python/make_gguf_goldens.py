#!/usr/bin/env python3
"""Write src/test/resources/goldens/gguf: random blocks of each type that gguf.dequantize knows and we read, with what it makes of them.

    python3 -m venv V && V/bin/pip install gguf numpy && V/bin/python src/test/python/make_gguf_goldens.py

For a type T: T.blocks (raw bytes) and T.floats (float32, little endian).
"""
import pathlib
import numpy as np
import gguf

OUT = pathlib.Path(__file__).parents[1] / "resources/goldens/gguf"
TYPES = ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q8_0", "Q4_K", "Q6_K", "Q5_0", "Q5_1", "Q2_K", "Q3_K", "Q5_K"]
HALVES = {"Q4_0": [0], "Q4_1": [0, 2], "Q8_0": [0], "Q4_K": [0, 2], "Q6_K": [208],
          "Q5_0": [0], "Q5_1": [0, 2], "Q2_K": [80, 82], "Q3_K": [108], "Q5_K": [0, 2]}  # places of float16 scales


def blocks(rng, name):
    kind = gguf.GGMLQuantizationType[name]
    size, width = gguf.GGML_QUANT_SIZES[kind]
    count = max(8, 64 // size)
    if name in ("F32", "F16", "BF16"):
        values = rng.standard_normal(count).astype(np.float32)
        return gguf.quantize(values, kind).view(np.uint8).reshape(count, width), kind
    raw = rng.integers(0, 256, (count, width), dtype=np.uint8)
    for at in HALVES[name]:
        raw[:, at : at + 2] = (rng.standard_normal(count) * 0.1).astype(np.float16).view(np.uint8).reshape(count, 2)
    return raw, kind


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(7)
    for name in TYPES:
        raw, kind = blocks(rng, name)
        (OUT / f"{name}.blocks").write_bytes(raw.tobytes())
        data = raw.reshape(-1).view(np.float32 if name == "F32" else np.float16 if name == "F16" else np.uint8)
        floats = gguf.dequantize(data, kind).astype("<f4")
        (OUT / f"{name}.floats").write_bytes(floats.tobytes())


if __name__ == "__main__":
    main()
