#!/usr/bin/env python3
"""Makes reference data for reward models with the real TRL, and for classification with transformers, both with PEFT.

    python make_score_goldens.py ../resources/goldens/models/llama-tied ../resources/goldens/preference/llama-tied [nf4]

With nf4 it makes scores-nf4.json alone: some cases on the base whose projections are quantised and dequantised again.

Needs torch, transformers, peft, bitsandbytes, trl 1.16, datasets, scikit-learn, safetensors. One thread, float32, all of data.jsonl or labeled.jsonl
a step. Writes labeled.jsonl; scores.json, in the form of expected.json; the adapters that the cases begin with, by outputs of their
head, and that of each case after its last step.
"""

import json
import os
import pathlib
import random
import sys
import tempfile

os.environ.update(HF_HUB_OFFLINE="1", OMP_NUM_THREADS="1", TORCHDYNAMO_DISABLE="1", WANDB_DISABLED="true")
import torch
from datasets import Dataset
from datasets.table import InMemoryTable
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from sklearn.metrics import accuracy_score, mean_absolute_error, precision_recall_fscore_support, r2_score
from tokenizers import Tokenizer, models
from transformers import AutoModelForSequenceClassification, PreTrainedTokenizerFast
from trl import RewardConfig, RewardTrainer

torch.set_num_threads(1)
STEPS, RATE, NORM, CLASSES = 4, 1e-3, 0.3, 3
NF4 = sys.argv[3:] == ["nf4"]
REWARD_CASES = {"reward": {}, "reward-center": {"center_rewards_coefficient": 0.1}, "reward-margin": {"margin": True}}
CLASS_CASES = {
    "classify": "single_label_classification",
    "classify-several": "multi_label_classification",
    "regression": "regression",
}
if NF4:
    REWARD_CASES = {"reward-margin": REWARD_CASES["reward-margin"]}
    CLASS_CASES = {"classify": CLASS_CASES["classify"]}


def tokenizer(vocabulary: int) -> PreTrainedTokenizerFast:
    """Names only: the data are ids."""
    inner = Tokenizer(models.WordLevel({f"t{i}": i for i in range(vocabulary)}, unk_token="t3"))
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="t0", bos_token="t1", eos_token="t2", unk_token="t3"
    )


def scoring(model: pathlib.Path, out: pathlib.Path, outputs: int, problem: str | None):
    """The base with a head of some outputs, its adapter and head those of the file that a case begins with."""
    base = AutoModelForSequenceClassification.from_pretrained(
        model / "base", dtype=torch.float32, attn_implementation="eager", num_labels=outputs, problem_type=problem,
        pad_token_id=0,
    )  # fmt: skip
    if NF4:
        with torch.no_grad():
            weights = base.state_dict()
            for key, value in dequantised(model / "quantized.safetensors", weights).items():
                weights[key].copy_(value)
    given = json.loads((model / "adapter/adapter_config.json").read_text())
    policy = get_peft_model(
        base,
        LoraConfig(
            r=given["r"], lora_alpha=given["lora_alpha"], target_modules=given["target_modules"], task_type="SEQ_CLS"
        ),
    )
    file = out / f"score-{outputs}.safetensors"
    if not file.exists():
        torch.manual_seed(outputs)
        first = load_file(model / "adapter/adapter_model.safetensors")
        first["base_model.model.score.weight"] = torch.randn(outputs, base.config.hidden_size) * 0.5
        save_file(first, file, metadata={"format": "pt"})
    first = load_file(file)
    with torch.no_grad():
        for key, value in trained(policy).items():
            value.copy_(first[key])
    return policy


def dequantised(file: pathlib.Path, weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What the 4-bit codes of a file stand for, by bitsandbytes' tables."""
    from bitsandbytes import functional

    stored, found = load_file(file), {}
    four, eight = functional.get_4bit_type("nf4", device="cpu"), functional.create_dynamic_map()
    for key in {name.rsplit(".", 1)[0] for name in stored}:
        nested = stored[f"{key}.nested_absmax"].repeat_interleave(256)
        scales = stored[f"{key}.absmax_codes"]
        scales = eight[scales.long()] * nested[: len(scales)] + stored[f"{key}.offset"]
        codes = stored[f"{key}.codes"].long()
        values = four[torch.stack([codes >> 4, codes & 15], 1).view(-1)]
        found[key] = (values * scales.repeat_interleave(64)[: len(values)]).view(weights[key].shape)
    return found


def trained(policy) -> dict[str, torch.Tensor]:
    return {
        key.replace(".default", "").replace(".modules_to_save", ""): value
        for key, value in policy.named_parameters()
        if value.requires_grad
    }


def save(policy, name: pathlib.Path) -> None:
    if NF4:
        return
    file = name.with_suffix(".safetensors")
    save_file({k: v.detach().clone().contiguous() for k, v in trained(policy).items()}, file, metadata={"format": "pt"})


def reward(settings: dict, policy, pairs: list[dict]) -> list[dict]:
    class Prepared(RewardTrainer):
        def _prepare_dataset(self, dataset, *args, **kwargs):
            return dataset

    rows = [
        {
            "chosen_ids": pair["prompt_ids"] + pair["chosen_ids"],
            "rejected_ids": pair["prompt_ids"] + pair["rejected_ids"],
        }
        for pair in pairs
    ]
    given = dict(settings)
    if given.pop("margin", False):
        rows = [dict(row, margin=0.25 * i) for i, row in enumerate(rows)]
    with tempfile.TemporaryDirectory() as folder:
        args = RewardConfig(
            output_dir=folder, per_device_train_batch_size=len(pairs), max_steps=STEPS, learning_rate=RATE,
            lr_scheduler_type="constant", warmup_steps=0, weight_decay=0.0, max_grad_norm=NORM, logging_steps=1, report_to=[],
            save_strategy="no", bf16=False, fp16=False, gradient_checkpointing=False, use_cpu=True, seed=1, max_length=None,
            disable_tqdm=True, optim="adamw_torch", disable_dropout=True, **given,
        )  # fmt: skip
        trainer = Prepared(
            model=policy,
            args=args,
            train_dataset=Dataset(InMemoryTable.from_pylist(rows), fingerprint=str(settings)),
            processing_class=tokenizer(320),
        )
        trainer.train()
    return [
        {key: value for key, value in log.items() if not key.startswith(("train_", "epoch", "num_tokens"))}
        for log in trainer.state.log_history
        if "loss" in log
    ]


def measured(problem: str, logits: torch.Tensor, wanted: torch.Tensor) -> dict:
    if problem == "regression":
        error = logits.squeeze(-1) - wanted
        return {
            "mse": float((error**2).mean()),
            "mae": float(mean_absolute_error(wanted, logits.squeeze(-1))),
            "r2": float(r2_score(wanted, logits.squeeze(-1))),
        }
    single = problem == "single_label_classification"
    found = logits.argmax(-1) if single else (logits > 0).int()
    precision, recall, f1, _ = precision_recall_fscore_support(wanted, found, average="macro", zero_division=0)
    return {"accuracy": accuracy_score(wanted, found), "precision": precision, "recall": recall, "f1": f1}


def classify(problem: str, policy, texts: list[dict]) -> list[dict]:
    width = max(len(text["input_ids"]) for text in texts)
    ids = torch.tensor([text["input_ids"] + [0] * (width - len(text["input_ids"])) for text in texts])
    mask = (torch.arange(width)[None] < torch.tensor([[len(text["input_ids"])] for text in texts])).long()
    wanted = {
        "single_label_classification": lambda: torch.tensor([text["label"] for text in texts]),
        "multi_label_classification": lambda: torch.tensor(
            [[float(i in text["labels"]) for i in range(CLASSES)] for text in texts]
        ),
        "regression": lambda: torch.tensor([text["number"] for text in texts]),
    }[problem]()
    optimizer = torch.optim.AdamW([p for p in policy.parameters() if p.requires_grad], lr=RATE, weight_decay=0.0)
    steps = []
    for _ in range(STEPS):
        result = policy(input_ids=ids, attention_mask=mask, labels=wanted, use_cache=False)
        result.loss.backward()
        norm = torch.nn.utils.clip_grad_norm_([p for p in policy.parameters() if p.requires_grad], NORM)
        with torch.no_grad():
            found = measured(problem, result.logits.detach(), wanted)
        steps.append({"loss": float(result.loss), "grad_norm": float(norm), **found})
        optimizer.step()
        optimizer.zero_grad()
    return steps


def texts() -> list[dict]:
    rng = random.Random(5)
    return [
        {
            "input_ids": [rng.randrange(4, 320) for _ in range(rng.randint(1, 14))],
            "label": i % CLASSES,
            "labels": [label for label in range(CLASSES) if rng.random() < 0.5],
            "number": round(rng.uniform(-2, 3), 3),
        }
        for i in range(6)
    ]


def main() -> None:
    model, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    pairs = [json.loads(line) for line in open(out / "data.jsonl")]
    labeled = texts()
    (out / "labeled.jsonl").write_text("".join(json.dumps(text) + "\n" for text in labeled))
    expected = {"steps": STEPS, "learning_rate": RATE, "max_grad_norm": NORM, "cases": {}}
    for name, settings in REWARD_CASES.items():
        policy = scoring(model, out, 1, None)
        steps = reward(settings, policy, pairs)
        expected["cases"][name] = {"kind": "reward", "settings": settings, "outputs": 1, "steps": steps}
        save(policy, out / name)
    for name, problem in CLASS_CASES.items():
        outputs = 1 if problem == "regression" else CLASSES
        policy = scoring(model, out, outputs, problem)
        steps = classify(problem, policy, labeled)
        settings = {"problem_type": problem}
        expected["cases"][name] = {"kind": "classify", "settings": settings, "outputs": outputs, "steps": steps}
        save(policy, out / name)
    for name, case in expected["cases"].items():
        print(name, [step["loss"] for step in case["steps"]])
    (out / ("scores-nf4.json" if NF4 else "scores.json")).write_text(json.dumps(expected, indent=1) + "\n")


main()
