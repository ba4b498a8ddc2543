#!/usr/bin/env python3
"""Cuts conversations into rows of token ids, so that peer and ours train on the same numbers.

    python peer_rows.py --model MODEL --data CHAT.jsonl --sequence 512 --rows 64 --output ROWS.jsonl

Every row is full and every token of it is trained; the file is `--format tokens` of `train`, and what peer_train.py reads.
"""
import argparse
import itertools
import json

from transformers import AutoTokenizer


def token_ids(tokenizer, path):
    """The conversations' ids, one after the other, from the start again when the file has ended."""
    with open(path, encoding="utf-8") as lines:
        texts = [tokenizer.apply_chat_template(json.loads(line)["messages"], tokenize=False) for line in lines]
    for text in itertools.cycle(texts):
        yield from tokenizer(text)["input_ids"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--sequence", type=int, required=True)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--output", required=True)
    options = parser.parse_args()
    ids = token_ids(AutoTokenizer.from_pretrained(options.model), options.data)
    with open(options.output, "w", encoding="utf-8") as output:
        for _ in range(options.rows):
            row = list(itertools.islice(ids, options.sequence))
            output.write(json.dumps({"input_ids": row, "labels": row}) + "\n")


if __name__ == "__main__":
    main()
