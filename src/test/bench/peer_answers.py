#!/usr/bin/env python3
"""Answers of transformers' `generate` to the prompts that ours answers: greedy, in static batches, the best that it does on a processor.

    python peer_answers.py --model MODEL --prompts prompts.jsonl [--batch 64] [--tokens 64] [--precision bf16|fp32] [--four-bit] [--output answers.jsonl]

Needs torch, transformers and, for --four-bit, bitsandbytes. Prompts of like length share a batch, so that little is padded. Prints one JSON line: new
tokens, tokens a second of the answers alone (the model is loaded before) and peak resident GB. With --write FILE it makes --count prompts instead, of 5 to
500 tokens, cut from the conversations in --prompts.
"""

import argparse
import json
import os
import random
import resource
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", required=True)
parser.add_argument("--prompts", required=True)
parser.add_argument("--write")
parser.add_argument("--count", type=int, default=10_000)
parser.add_argument("--batch", type=int, default=64)
parser.add_argument("--tokens", type=int, default=64)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--precision", default="bf16", choices=["bf16", "fp32"])
parser.add_argument("--four-bit", action="store_true")
parser.add_argument("--output")
asked = parser.parse_args()
os.environ.update(OMP_NUM_THREADS=str(asked.threads), HF_HUB_OFFLINE="1")

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, logging

torch.set_num_threads(asked.threads)
logging.set_verbosity_error()
LEAST, MOST = 5, 500


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def write_prompts(tokenizer) -> None:
    """Pieces of one long text of all conversations; a prompt that is tokenised in another way alone is about as long."""
    text = "\n".join(message["content"] for row in lines(asked.prompts) for message in row["messages"])
    ids = tokenizer(text, add_special_tokens=False).input_ids
    chance = random.Random(0)
    with open(asked.write, "w", encoding="utf-8") as file:
        for _ in range(asked.count):
            length = chance.randint(LEAST, MOST)
            start = chance.randrange(len(ids) - length)
            file.write(json.dumps({"prompt": tokenizer.decode(ids[start : start + length])}) + "\n")


def answers(model, tokenizer, prompts) -> list:
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]), reverse=True)
    made = [None] * len(prompts)
    for start in range(0, len(order), asked.batch):
        batch = order[start : start + asked.batch]
        padded = tokenizer.pad({"input_ids": [prompts[i] for i in batch]}, padding_side="left", return_tensors="pt")
        with torch.inference_mode():
            texts = model.generate(**padded, max_new_tokens=asked.tokens, do_sample=False, pad_token_id=tokenizer.pad_token_id)
        for i, text in zip(batch, texts[:, padded.input_ids.shape[1] :].tolist()):
            made[i] = text[: next((at for at, token in enumerate(text) if token == tokenizer.eos_token_id), len(text))]
    return made


def main() -> None:
    tokenizer = AutoTokenizer.from_pretrained(asked.model)
    if asked.write:
        write_prompts(tokenizer)
        return
    kind = torch.bfloat16 if asked.precision == "bf16" else torch.float32
    four_bit = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=kind
    ) if asked.four_bit else None
    model = AutoModelForCausalLM.from_pretrained(asked.model, dtype=kind, quantization_config=four_bit).eval()
    prompts = [tokenizer(row["prompt"], add_special_tokens=False).input_ids for row in lines(asked.prompts)]
    begin = time.monotonic()
    made = answers(model, tokenizer, prompts)
    seconds = time.monotonic() - begin
    tokens = sum(map(len, made))
    if asked.output:
        with open(asked.output, "w", encoding="utf-8") as file:
            file.writelines(json.dumps({"answer": tokenizer.decode(text, skip_special_tokens=True)}) + "\n" for text in made)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)
    print(json.dumps({"prompts": len(prompts), "tokens": tokens, "seconds": round(seconds, 1), "tokens_a_second": round(tokens / seconds, 1),
                      "peak_gb": round(peak, 2)}))


main()
