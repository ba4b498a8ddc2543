"""Records what torch.amp.GradScaler makes of gradients that are finite or not.

Usage: python src/test/python/make_loss_scale_goldens.py

Writes goldens/optim/loss_scale.txt, a line a run of 9,000 steps: the steps whose gradient is not finite, counted from 0, then
for each step that changed the scale its number and the scale behind it. torch 2.15, on a CPU.
"""

import pathlib
import random

import torch

TARGET = pathlib.Path(__file__).parents[1] / "resources/goldens/optim/loss_scale.txt"
STEPS = 9000


def run(broken):
    scaler = torch.amp.GradScaler("cpu")
    parameter = torch.nn.Parameter(torch.zeros(2))
    optimizer = torch.optim.SGD([parameter], lr=1e-3)
    scales, last = [], scaler.scale(torch.ones(())).item()
    for step in range(STEPS):
        values = [float("inf"), 1.0] if step in broken else [1.0, 1.0]
        parameter.grad = torch.tensor(values)
        scaler.unscale_(optimizer)
        scaler.step(optimizer)
        scaler.update()
        if scaler.get_scale() != last:
            last = scaler.get_scale()
            scales.append(f"{step} {last!r}")
    return " | ".join([" ".join(str(step) for step in sorted(broken)), *scales])


def main():
    draw = random.Random(5)
    runs = [
        run(set()),
        run({0, 1, 2}),
        run({1999, 2000, 5999, 6000}),
        run(set(draw.sample(range(STEPS), 40))),
        run({step for step in range(60)}),
    ]
    TARGET.write_text("\n".join(runs) + "\n")


if __name__ == "__main__":
    main()
