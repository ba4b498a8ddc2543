"""Opens the adapters that we wrote for a small model of each family, makes others for us to read, and writes down what it computes.

Usage: python src/test/python/family_trips.py JOB.json RESULT.json

The job, by family:
    model    folder of the base
    golden   adapter that PEFT wrote: targets of the one that is made here
    ours     adapter that we wrote
    merged   folder of the base with the golden adapter in it, which we wrote
    theirs   where to write an adapter with random factors
    batch    documents: input_ids, labels, attention_mask
The result, by family: summed losses of the documents with base, ours and theirs, a greedy answer with ours, and the largest difference of
a merged weight.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from peft import PeftConfig, get_peft_model
from round_trips import SEED, merge_error, open_adapted, open_model
from torch.nn import functional

Entry = dict[str, Any]

# two likeliest tokens that are closer are not told apart by float32
GAP = 1e-3
SHORTEST_PROMPT = 3


def losses(model: torch.nn.Module, batch: Entry) -> list[float]:
    sums = []
    for ids, labels, mask in zip(batch["input_ids"], batch["labels"], batch["attention_mask"]):
        length = sum(mask)
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([ids[:length]])).logits[0, :-1]
        targets = torch.tensor(labels[1:length])
        sums.append(functional.cross_entropy(logits, targets, ignore_index=-100, reduction="sum").item())

    return sums


def answer(model: torch.nn.Module, ids: list[int], count: int) -> Entry:
    """Of the first tokens of a text, as many that each token of the answer is clearly the likeliest."""
    for length in range(SHORTEST_PROMPT, len(ids)):
        prompt = torch.tensor([ids[:length]])
        made = model.generate(
            input_ids=prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=count, do_sample=False, eos_token_id=None,
            pad_token_id=0, return_dict_in_generate=True, output_logits=True)
        gaps = [(top := step.float().topk(2).values[0])[0] - top[1] for step in made.logits]
        if min(gaps) > GAP:
            return {"prompt": ids[:length], "ids": made.sequences[0, length:].tolist()}

    raise SystemExit("Cannot find a prompt with a clear answer")


def make_adapter(entry: Entry) -> torch.nn.Module:
    torch.manual_seed(SEED)
    config = PeftConfig.from_pretrained(entry["golden"])
    config.r += 1
    config.inference_mode = False
    model = get_peft_model(open_model(entry["model"]), config)
    for parameter in model.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.08)

    model.save_pretrained(entry["theirs"])
    return model.eval()


def trip(entry: Entry) -> Entry:
    batch = json.loads(Path(entry["batch"]).read_text())
    ours = open_adapted({"model": entry["model"], "adapter": entry["ours"]})
    return {
        "base": losses(open_model(entry["model"]), batch),
        "ours": losses(ours, batch),
        "answer": answer(ours, batch["input_ids"][0], entry["new_tokens"]),
        "theirs": losses(make_adapter(entry), batch),
        "merge_error": merge_error({"model": entry["model"], "adapter": entry["golden"], "merged": entry["merged"]}),
    }


def main(job_file: str, result_file: str) -> None:
    torch.set_num_threads(2)
    job = json.loads(Path(job_file).read_text())
    Path(result_file).write_text(json.dumps({family: trip(entry) for family, entry in job.items()}, indent=2))


if __name__ == "__main__":
    main(*sys.argv[1:])
