"""Write src/test/resources/goldens/gguf/quantized: numbers, and the blocks that ggml's reference quantisers make of them.

    V/bin/python src/test/python/make_gguf_quantized_goldens.py LIBGGML_BASE

LIBGGML_BASE is libggml-base.so of a build of llama.cpp for any x86-64: code that fuses multiplications and additions gives other
last bits, and sometimes other codes. The numbers are normal ones, some with outliers, few levels, one sign, all equal, or all zero.
"""

import ctypes
import sys
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parents[1] / "resources/goldens/gguf/quantized"
TYPES = {"Q4_0": (2, 32, 18), "Q5_0": (6, 32, 22), "Q8_0": (8, 32, 34), "Q4_K": (12, 256, 144), "Q5_K": (13, 256, 176), "Q6_K": (14, 256, 210)}
BLOCKS = 48


def numbers():
    draw = np.random.default_rng(24)
    blocks = draw.standard_normal((BLOCKS, 256)).astype(np.float32) * np.float32(0.02)
    blocks[8:12] *= np.exp(draw.standard_normal((4, 256)) * 2).astype(np.float32)
    blocks[12:16, ::37] = draw.standard_normal((4, 7)).astype(np.float32) * 9
    blocks[16:20] = np.round(blocks[16:20] * 100) / 100
    blocks[20:22] = np.abs(blocks[20:22])
    blocks[22:24] = -np.abs(blocks[22:24])
    blocks[24] = 0.375
    blocks[25] = -1e-3
    blocks[26] = 0
    blocks[27, 32:64] = 0
    blocks[28, :128] = 0
    blocks[29] = 1e-16
    blocks[30:34] *= np.float32(1e-4)
    blocks[34:38] *= np.float32(1e3)
    return blocks.reshape(-1)


if __name__ == "__main__":
    ggml = ctypes.CDLL(sys.argv[1])
    ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
    FOLDER.mkdir(parents=True, exist_ok=True)
    values = numbers()
    values.tofile(FOLDER / "numbers.floats")
    for name, (code, size, width) in TYPES.items():
        blocks = np.zeros(values.size // size * width, np.uint8)
        ggml.ggml_quantize_init(code)
        ggml.ggml_quantize_chunk(
            code, values.ctypes.data_as(ctypes.c_void_p), blocks.ctypes.data_as(ctypes.c_void_p), ctypes.c_int64(0),
            ctypes.c_int64(values.size // 256), ctypes.c_int64(256), None)
        blocks.tofile(FOLDER / f"{name}.blocks")
