#!/usr/bin/env python3
"""DPO by TRL with PEFT + bitsandbytes on the processor, on the pairs that ours trains on.

    python peer_dpo.py --model SMOLLM2_FOLDER --data pairs.jsonl [--recipe default|fast] [--steps 4] [--batch 4] [--sequence 512]

Needs torch, transformers, peft, bitsandbytes, trl 1.16, datasets. default = gradient checkpointing, as TRL has it; fast = none. Prints one JSON line: tokens a
second of the best step (both answers with their prompts, padding not counted), peak resident GB, losses. With --write FILE it makes the pairs instead, of
the conversations in --data: an answer, and one to another question, each cut to fill --sequence tokens with its prompt.
"""

import argparse
import json
import os
import resource
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--model", required=True)
parser.add_argument("--data", required=True)
parser.add_argument("--write")
parser.add_argument("--recipe", default="default", choices=["default", "fast"])
parser.add_argument("--steps", type=int, default=4)
parser.add_argument("--batch", type=int, default=4)
parser.add_argument("--sequence", type=int, default=512)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--rank", type=int, default=16)
asked = parser.parse_args()
os.environ.update(OMP_NUM_THREADS=str(asked.threads), HF_HUB_OFFLINE="1", WANDB_DISABLED="true", TRL_EXPERIMENTAL_SILENCE="1")

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, TrainerCallback, logging

torch.set_num_threads(asked.threads)
logging.set_verbosity_error()
PROMPT = 64


def pairs() -> None:
    """Ids, so that both sides train on the same tokens."""
    tokenizer, ids = AutoTokenizer.from_pretrained(asked.model), []
    need = asked.steps * asked.batch * 2 * asked.sequence
    for line in open(asked.data, encoding="utf-8"):
        ids += tokenizer(tokenizer.apply_chat_template(json.loads(line)["messages"], tokenize=False))["input_ids"]
        if len(ids) > need:
            break
    with open(asked.write, "w") as out:
        for i in range(asked.steps * asked.batch):
            text = ids[2 * i * asked.sequence : 2 * (i + 1) * asked.sequence]
            answer = asked.sequence - PROMPT
            row = {
                "prompt_ids": text[:PROMPT],
                "chosen_ids": text[PROMPT : PROMPT + answer],
                "rejected_ids": text[asked.sequence : asked.sequence + answer],
            }
            out.write(json.dumps(row) + "\n")


def train() -> None:
    from datasets import Dataset
    from datasets.table import InMemoryTable
    from peft import LoraConfig
    from trl import DPOConfig, DPOTrainer

    rows = [json.loads(line) for line in open(asked.data)]
    quantised = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=torch.bfloat16
    )
    model = AutoModelForCausalLM.from_pretrained(asked.model, dtype=torch.bfloat16, quantization_config=quantised)
    tokenizer = AutoTokenizer.from_pretrained(asked.model)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token

    class Prepared(DPOTrainer):
        def _prepare_dataset(self, dataset, *args, **kwargs):
            return dataset

    class Steps(TrainerCallback):
        seconds: list[float] = []
        losses: list[float] = []

        def on_step_begin(self, *args, **kwargs):
            self.begin = time.time()

        def on_step_end(self, *args, **kwargs):
            self.seconds.append(time.time() - self.begin)

        def on_log(self, args, state, control, logs=None, **kwargs):
            if "loss" in logs:
                self.losses.append(logs["loss"])

    checkpointing = asked.recipe == "default"
    args = DPOConfig(
        output_dir="/tmp/peer-dpo", per_device_train_batch_size=asked.batch, max_steps=asked.steps, learning_rate=5e-6, logging_steps=1,
        report_to=[], save_strategy="no", bf16=True, use_cpu=True, gradient_checkpointing=checkpointing, max_length=None, disable_tqdm=True,
        optim="adamw_torch", seed=1,
    )  # fmt: skip
    steps = Steps()
    trainer = Prepared(
        model=model,
        args=args,
        train_dataset=Dataset(InMemoryTable.from_pylist(rows), fingerprint="pairs"),
        processing_class=tokenizer,
        peft_config=LoraConfig(r=asked.rank, lora_alpha=2 * asked.rank, target_modules="all-linear", task_type="CAUSAL_LM"),
        callbacks=[steps],
    )
    trainer.train()
    tokens = 2 * asked.batch * asked.sequence
    print(
        json.dumps(
            {
                "recipe": asked.recipe,
                "tokens_per_second": round(tokens / min(steps.seconds), 1),
                "step_seconds": [round(s, 2) for s in steps.seconds],
                "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
                "losses": steps.losses,
            }
        )
    )


pairs() if asked.write else train()
