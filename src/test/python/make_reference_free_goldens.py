#!/usr/bin/env python3
"""Makes reference data for ORPO, CPO and SimPO with the real TRL and PEFT, beside that of DPO and KTO.

    python make_reference_free_goldens.py ../resources/goldens/models/llama-tied ../resources/goldens/preference/llama-tied

Needs torch, transformers, peft, trl 1.16, datasets, safetensors. One thread, float32, the whole of data.jsonl a step. Writes
reference-free.json, in the form of expected.json, and the adapter of each case after its last step.
"""

import json
import os
import pathlib
import sys
import tempfile

os.environ.update(
    HF_HUB_OFFLINE="1", OMP_NUM_THREADS="1", TORCHDYNAMO_DISABLE="1", WANDB_DISABLED="true", TRL_EXPERIMENTAL_SILENCE="1"
)
import torch
from datasets import Dataset
from peft import PeftModel
from safetensors.torch import save_file
from tokenizers import Tokenizer, models
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast
from trl.experimental.cpo import CPOConfig, CPOTrainer
from trl.experimental.orpo import ORPOConfig, ORPOTrainer

torch.set_num_threads(1)
STEPS, RATE, NORM = 4, 1e-3, 0.3
CASES = {
    "orpo": ("orpo", {}),
    "orpo-beta": ("orpo", {"beta": 1.0}),
    "cpo": ("cpo", {}),
    "cpo-smoothing": ("cpo", {"label_smoothing": 0.2, "beta": 0.3, "cpo_alpha": 0.5}),
    "simpo": ("simpo", {"beta": 2.0, "simpo_gamma": 0.5, "cpo_alpha": 0.0}),
    "cpo-simpo": ("simpo", {"beta": 0.5, "simpo_gamma": 1.0, "cpo_alpha": 0.7}),
}


def tokenizer(vocabulary: int) -> PreTrainedTokenizerFast:
    """Names only: the data are ids."""
    inner = Tokenizer(models.WordLevel({f"t{i}": i for i in range(vocabulary)}, unk_token="t3"))
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="t0", bos_token="t1", eos_token="t2", unk_token="t3"
    )


def with_ids(trainer_class: type, pairs: list[dict]) -> type:
    """The trainer, which takes ids for what it would tokenize."""

    class Prepared(trainer_class):
        def tokenize_row(self, feature, model=None):
            pair = pairs[int(feature["prompt"])]
            row = {"prompt_input_ids": pair["prompt_ids"], "prompt_attention_mask": [1] * len(pair["prompt_ids"])}
            for name in ("chosen", "rejected"):
                ids = pair["prompt_ids"] + pair[name + "_ids"]
                row[name + "_input_ids"] = ids
                row[name + "_attention_mask"] = [1] * len(ids)
                row[name + "_labels"] = [-100] * len(pair["prompt_ids"]) + pair[name + "_ids"]
            return row

    return Prepared


def run(kind: str, settings: dict, model: pathlib.Path, out: pathlib.Path, name: str, pairs: list[dict]) -> list[dict]:
    base = AutoModelForCausalLM.from_pretrained(model / "base", dtype=torch.float32, attn_implementation="eager")
    policy = PeftModel.from_pretrained(base, model / "adapter", is_trainable=True)
    config, trainer_class = (ORPOConfig, ORPOTrainer) if kind == "orpo" else (CPOConfig, CPOTrainer)
    given = dict(settings, **({"loss_type": "simpo"} if kind == "simpo" else {}))
    with tempfile.TemporaryDirectory() as folder:
        args = config(
            output_dir=folder, per_device_train_batch_size=len(pairs), max_steps=STEPS, learning_rate=RATE,
            lr_scheduler_type="constant", warmup_steps=0, weight_decay=0.0, max_grad_norm=NORM, logging_steps=1, report_to=[],
            save_strategy="no", bf16=False, fp16=False, gradient_checkpointing=False, use_cpu=True, seed=1, max_length=None,
            disable_tqdm=True, optim="adamw_torch", remove_unused_columns=False, disable_dropout=True, **given,
        )  # fmt: skip
        rows = Dataset.from_list([{"prompt": str(i), "chosen": "a", "rejected": "b"} for i in range(len(pairs))])
        trainer = with_ids(trainer_class, pairs)(
            model=policy, args=args, train_dataset=rows, processing_class=tokenizer(320)
        )
        trainer.train()
        state = {
            key.replace(".default", ""): value.detach().clone().contiguous()
            for key, value in trainer.model.named_parameters()
            if value.requires_grad
        }
    save_file(state, out / f"{name}.safetensors", metadata={"format": "pt"})
    return [
        {key: value for key, value in log.items() if not key.startswith(("train_", "epoch"))}
        for log in trainer.state.log_history
        if "loss" in log
    ]


def main() -> None:
    model, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    pairs = [json.loads(line) for line in open(out / "data.jsonl")]
    expected = {"steps": STEPS, "learning_rate": RATE, "max_grad_norm": NORM, "cases": {}}
    for name, (kind, settings) in CASES.items():
        steps = run(kind, settings, model, out, name, pairs)
        expected["cases"][name] = {"kind": kind, "settings": settings, "steps": steps}
        print(name, [step["loss"] for step in steps])
    (out / "reference-free.json").write_text(json.dumps(expected, indent=1) + "\n")


main()
