#!/usr/bin/env python3
"""Makes the ids that TRL's DPOTrainer gives prompts and answers, of the two small tokenizers of the tests.

    python make_answer_goldens.py ../resources/goldens/tokenizers

Needs torch, transformers, trl 1.16, datasets. Writes NAME-answers.json: records with prompt_ids, chosen_ids and rejected_ids.
"""

import json
import os
import pathlib
import sys
from types import SimpleNamespace

os.environ.update(HF_HUB_OFFLINE="1", TORCHDYNAMO_DISABLE="1", HF_DATASETS_DISABLE_PROGRESS_BARS="1")
from datasets import Dataset
from transformers import AutoTokenizer
from trl import DPOTrainer


def turn(role: str, text: str) -> dict:
    return {"role": role, "content": text}


RECORDS = [
    {"prompt": "What is a cat?", "chosen": " An animal.", "rejected": " A car"},
    {"prompt": "Count: one, tw", "chosen": "o, three", "rejected": "o! 🙂"},
    {"chosen": "The sky is blue today.", "rejected": "The sky is a lie"},
    {
        "prompt": [turn("system", "Be brief"), turn("user", "What 🙂?")],
        "chosen": [turn("assistant", "🙂 é!")],
        "rejected": [turn("assistant", "no")],
    },
    {
        "chosen": [turn("user", "a"), turn("assistant", "b"), turn("user", "c"), turn("assistant", "d")],
        "rejected": [turn("user", "a"), turn("assistant", "b"), turn("user", "c"), turn("assistant", "e f")],
    },
]


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    for name in ("bytes", "pieces"):
        tokenizer = AutoTokenizer.from_pretrained(folder / name)
        args = SimpleNamespace(dataset_num_proc=None, max_length=None, truncation_mode="keep_start")
        lines = []
        for record in RECORDS:
            prepared = DPOTrainer._prepare_dataset(
                SimpleNamespace(_tokenizer=tokenizer), Dataset.from_list([record]), tokenizer, args, "train"
            )[0]
            ids = {key: prepared[key] for key in ("prompt_ids", "chosen_ids", "rejected_ids")}
            lines.append({"record": record, **ids})
        (folder / f"{name}-answers.json").write_text(json.dumps(lines, ensure_ascii=False) + "\n")


main()
