#!/usr/bin/env python3
"""The peers' kernels on a CPU: NF4 by bitsandbytes, AdamW by bitsandbytes and torch, products; attention and products in float32 on one thread.

    python peer_kernels.py --threads 2 [--repetitions 5]

Prints one JSON line whose names and sizes are those of `bench` with a micro-batch of one row; each figure is a median.
"""
import argparse
import json
import os
import statistics
import time

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--repetitions", type=int, default=5)
parser.add_argument("--sequence", type=int, default=512)
options = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = str(options.threads)  # read when torch is loaded

import bitsandbytes  # noqa: E402
import bitsandbytes.functional  # noqa: E402
import torch  # noqa: E402

BF16 = torch.bfloat16
ADAPTERS = [(16, 576), (576, 16), (16, 576), (192, 16), (16, 576), (1536, 16), (16, 1536), (576, 16)] * 30


def median_seconds(work):
    for _ in range(2):
        work()
    times = []
    for _ in range(options.repetitions):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def four_bit():
    functional = bitsandbytes.functional
    weight = torch.randn(4096, 4096, dtype=BF16)

    def quantize():
        return functional.quantize_4bit(weight, quant_type="nf4", blocksize=64, compress_statistics=True)

    codes, state = quantize()
    return {
        "quantize_weights_per_second": weight.numel() / median_seconds(quantize),
        "dequantize_bf16_weights_per_second":
            weight.numel() / median_seconds(lambda: functional.dequantize_4bit(codes, state)),
    }


def updates(optimizer):
    """Parameters a second."""
    parameters = [torch.nn.Parameter(torch.randn(shape)) for shape in ADAPTERS]
    for parameter in parameters:
        parameter.grad = torch.randn_like(parameter)
    return sum(parameter.numel() for parameter in parameters) / median_seconds(optimizer(parameters).step)


def optimizers():
    return {
        "torch_adamw_parameters_per_second": updates(lambda p: torch.optim.AdamW(p, lr=1e-4)),
        "adamw_parameters_per_second": updates(lambda p: bitsandbytes.optim.AdamW32bit(p, lr=1e-4)),
        "adamw_8bit_parameters_per_second": updates(lambda p: bitsandbytes.optim.AdamW8bit(p, lr=1e-4)),
    }


def product(m, k, n, dtype):
    left, right = torch.randn(m, k).to(dtype), torch.randn(n, k).to(dtype)
    return 2 * m * k * n / median_seconds(lambda: torch.nn.functional.linear(left, right)) / 1e12


def products():
    return {
        "bf16_2048x576x1536_tflops": product(2048, 576, 1536, BF16),
        "bf16_2048x4096x4096_tflops": product(2048, 4096, 4096, BF16),
    }


def attention():
    """Of one row of SmolLM2-135M's nine heads."""
    heads = [torch.randn(1, 9, options.sequence, 64).to(BF16).requires_grad_() for _ in range(3)]

    def forward():
        return torch.nn.functional.scaled_dot_product_attention(*heads, is_causal=True)

    gradient = torch.randn_like(forward())
    seconds = median_seconds(forward)
    both = median_seconds(lambda: torch.autograd.grad(forward(), heads, gradient))
    return {"forward_ms": 1e3 * seconds, "backward_ms": 1e3 * (both - seconds)}


if __name__ == "__main__":
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    figures = {"nf4": four_bit(), "optimizer": optimizers(), "matmul": products()}
    torch.set_num_threads(1)
    figures["thread"] = {"float32_2048x576x1536_tflops": product(2048, 576, 1536, torch.float32)}
    print(json.dumps(figures | {"attention": attention()}))
