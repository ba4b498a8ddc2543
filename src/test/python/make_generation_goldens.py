#!/usr/bin/env python3
"""Makes goldens/generation: what transformers' generate continues prompts with, and how it narrows a distribution.

  python make_generation_goldens.py src/test/resources/goldens [MODEL ...]

Needs torch and transformers (made with 2.15 and 5.24). Prompts whose two likeliest tokens ever come within GAP of each other
are left out: no arithmetic decides them. With names of models, what there is of others stays.
"""
import json
import pathlib
import sys

import torch
from make_family_goldens import load
from transformers.generation.logits_process import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

GAP = 2e-4
NEW_TOKENS = 20
PREFIXES = [(0, 4), (0, 12), (0, 20), (1, 5), (1, 14), (2, 3), (2, 8)]

torch.manual_seed(0)


def greedy(folder, prompt):
    """A model of its own and no cache: under dynamic rotary scaling both would keep frequencies of another length."""
    model = load(folder / "base").eval()
    out = model.generate(
        torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.long), max_new_tokens=NEW_TOKENS,
        do_sample=False, eos_token_id=None, pad_token_id=0, use_cache=False, return_dict_in_generate=True, output_logits=True)
    gaps = [(top := step.float().topk(2).values[0])[0] - top[1] for step in out.logits]
    return out.sequences[0, len(prompt):].tolist(), min(gaps).item()


def continuations(folder):
    batch = json.loads((folder / "batch.json").read_text())
    cases = []
    for row, length in PREFIXES:
        prompt = batch["input_ids"][row][:length]
        ids, gap = greedy(folder, prompt)
        if gap > GAP:
            cases.append({"prompt": prompt, "ids": ids})
    assert len(cases) >= 3, folder
    return cases[:5]


def distributions():
    cases = []
    for temperature, top_k, top_p in [(1.0, 0, 1.0), (0.7, 0, 1.0), (1.0, 5, 1.0), (1.0, 0, 0.6), (1.8, 12, 0.9), (0.5, 50, 0.95), (1.0, 1, 0.01)]:
        logits = (torch.randn(40) * 2).round(decimals=3)
        logits[7] = logits[21]
        scores = logits[None].clone()
        if temperature != 1.0:
            scores = TemperatureLogitsWarper(temperature)(None, scores)
        if top_k:
            scores = TopKLogitsWarper(top_k)(None, scores)
        if top_p < 1:
            scores = TopPLogitsWarper(top_p)(None, scores)
        cases.append({"temperature": temperature, "top_k": top_k, "top_p": top_p, "logits": [round(x, 3) for x in logits.tolist()],
                      "probabilities": torch.softmax(scores.double(), -1)[0].tolist()})
    return cases


def main(root, only):
    out = root / "generation"
    out.mkdir(exist_ok=True)
    there = json.loads((out / "greedy.json").read_text()) if only else {}
    families = sorted(f for f in (root / "models").iterdir() if (f / "base").is_dir())
    lines = ",\n".join(
        f"{json.dumps(f.name)}: {json.dumps(there[f.name] if only and f.name not in only else continuations(f))}" for f in families)
    (out / "greedy.json").write_text("{\n" + lines + "\n}\n")
    if not only:
        (out / "distributions.json").write_text("[\n" + ",\n".join(map(json.dumps, distributions())) + "\n]\n")


main(pathlib.Path(sys.argv[1]), sys.argv[2:])
