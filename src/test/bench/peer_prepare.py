#!/usr/bin/env python3
"""Tokenises and packs conversations by Hugging Face's datasets: what `prepare` is measured beside.

    python peer_prepare.py --model MODEL --data CHAT.jsonl --processes 2 --sequence 1024

apply_chat_template, the fast tokenizer in batches, and rows filled one after the other. It makes no loss mask, which ours does.
Prints one JSON line: seconds without imports and start-up, examples, tokens.
"""
import argparse
import itertools
import json
import os
import tempfile
import time

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--model", required=True)
parser.add_argument("--data", required=True)
parser.add_argument("--processes", type=int, default=1)
parser.add_argument("--sequence", type=int, default=1024)
options = parser.parse_args()
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"  # a process is a core
os.environ["HF_DATASETS_CACHE"] = tempfile.mkdtemp()

import datasets  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402

tokenizer = AutoTokenizer.from_pretrained(options.model)


def tokenized(batch):
    texts = tokenizer.apply_chat_template(batch["messages"], tokenize=False)
    return {"input_ids": tokenizer(texts, add_special_tokens=False)["input_ids"]}


def packed(batch):
    ids = list(itertools.chain.from_iterable(batch["input_ids"]))
    return {"input_ids": [ids[at:at + options.sequence] for at in range(0, len(ids), options.sequence)]}


def main():
    datasets.disable_progress_bars()
    start, cpu = time.perf_counter(), time.process_time()
    read = datasets.load_dataset("json", data_files=options.data, split="train")
    reading = time.perf_counter() - start
    processes = options.processes if options.processes > 1 else None
    settings = {"batched": True, "num_proc": processes, "remove_columns": read.column_names}
    rows = read.map(tokenized, **settings)
    tokenizing = time.perf_counter() - start - reading
    rows = rows.map(packed, batched=True, num_proc=processes)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    tokens = sum(len(row) for row in rows["input_ids"])
    print(json.dumps({
        "examples": len(read), "rows": len(rows), "tokens": tokens, "seconds": seconds, "reading_seconds": reading,
        "tokenizing_seconds": tokenizing, "cpu_seconds_of_this_process": cpu,
    }))


if __name__ == "__main__":
    main()
