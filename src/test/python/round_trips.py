"""Computes with transformers, PEFT and bitsandbytes what a job file asks, in float32 on the CPU, and writes the results down.

Usage: python src/test/python/round_trips.py JOB.json RESULT.json

The job:
    tokenizer a model folder with one
    rows      JSON lines of examples: text, ids, trained (1 where the token's loss counts)
    losses    name -> model folder, and adapter folder if there is one
    answers   name -> the same, and prompts, each a user's turn, and new_tokens
    adapters  name -> model folder, options of LoraConfig, new tokens, output folder; the adapter is made here, with random factors
    classes   model folder, texts with the index of their class, the folders of an adapter whose head scores them and of what we merged it
              into, and output folder; an adapter of that kind is made here, with random factors
    cut       a text, and the folder whose tokenizer cuts it

A tensor or key that is missing, unexpected or of another shape ends the program: a file that loads in part has not made the trip.
"""

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import bitsandbytes
import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from safetensors import safe_open
from safetensors.torch import load_file
from torch.nn import functional
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer, PreTrainedModel

SEED = 11
ROUNDING = {"BF16": 2**-8, "F16": 2**-11}
Row = dict[str, Any]
Entry = dict[str, Any]


def open_model(folder: str) -> PreTrainedModel:
    model, report = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    problems = {kind: sorted(map(str, found)) for kind, found in report.items() if found}
    if problems:
        raise SystemExit(f"Cannot load {folder} whole: {problems}")

    return model.eval()


def open_adapted(entry: Entry) -> PreTrainedModel | PeftModel:
    model = open_model(entry["model"])
    folder = entry.get("adapter")
    if folder is None:
        return model

    if (Path(folder) / "tokenizer.json").exists():
        model.resize_token_embeddings(len(AutoTokenizer.from_pretrained(folder)))

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        adapted = PeftModel.from_pretrained(model, folder)

    # PEFT looks for patterns among modules only, and tells of those that it then uses for parameters
    messages = [str(warning.message) for warning in caught]
    complaints = [message for message in messages if "key" in message and "_pattern keys did not match" not in message]
    stored = load_file(Path(folder) / "adapter_model.safetensors")
    loaded = get_peft_model_state_dict(adapted, save_embedding_layers=False)
    if complaints or stored.keys() != loaded.keys():
        raise SystemExit(f"Cannot load {folder} whole: {complaints} {sorted(stored.keys() ^ loaded.keys())}")

    return adapted.eval()


def mean_loss(model: torch.nn.Module, rows: list[Row]) -> float:
    """Sum over all trained tokens, divided once."""
    total, count = 0.0, 0
    for row in rows:
        ids = torch.tensor([row["ids"]])
        trained = torch.tensor(row["trained"][1:], dtype=torch.bool)
        with torch.no_grad():
            logits = model(input_ids=ids).logits[0, :-1].float()

        total += functional.cross_entropy(logits[trained], ids[0, 1:][trained], reduction="sum").item()
        count += int(trained.sum())

    return total / count


def four_bit_layers(model: torch.nn.Module) -> int:
    return sum(isinstance(module, bitsandbytes.nn.Linear4bit) for module in model.modules())


def losses(entries: dict[str, Entry], rows: list[Row]) -> dict[str, Entry]:
    results = {}
    for name, entry in entries.items():
        model = open_adapted(entry)
        results[name] = {"loss": mean_loss(model, rows), "four_bit_layers": four_bit_layers(model)}

    return results


def answers(entry: Entry) -> list[str]:
    """Greedy continuations, without control tokens."""
    model = open_adapted(entry)
    tokenizer = AutoTokenizer.from_pretrained(entry["model"])
    texts = []
    for prompt in entry["prompts"]:
        turn = [{"role": "user", "content": prompt}]
        inputs = tokenizer.apply_chat_template(turn, add_generation_prompt=True, return_tensors="pt", return_dict=True)
        inputs.pop("token_type_ids", None)
        made = model.generate(**inputs, do_sample=False, max_new_tokens=entry["new_tokens"])
        texts.append(tokenizer.decode(made[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True).strip())

    return texts


def make_adapter(entry: Entry, rows: list[Row]) -> float:
    """Saves an adapter with random factors, as after training, and returns its loss."""
    torch.manual_seed(SEED)
    base = open_model(entry["model"])
    if entry["tokens"]:
        tokenizer = AutoTokenizer.from_pretrained(entry["model"])
        tokenizer.add_tokens(entry["tokens"], special_tokens=True)
        tokenizer.save_pretrained(entry["output"])
        base.resize_token_embeddings(len(tokenizer), mean_resizing=True)

    model = get_peft_model(base, LoraConfig(task_type="CAUSAL_LM", **entry["options"]))
    conversion = {}
    if "init_lora_weights" in entry["options"]:  # the adapter is a part of its base, and is converted to one of the base as it was
        model.peft_config["default"].init_lora_weights = True
        model.save_pretrained(entry["output"] + "-initial")
        conversion["path_initial_model_for_weight_conversion"] = entry["output"] + "-initial"

    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.05)
        elif parameter.requires_grad:
            parameter.data *= 1 + 0.05 * torch.randn_like(parameter)

    model.save_pretrained(entry["output"], **conversion)
    return mean_loss(model.eval(), rows)


def stored_types(folder: str) -> dict[str, str]:
    types = {}
    for file in Path(folder).glob("*.safetensors"):
        with safe_open(file, "pt") as tensors:
            types |= {name: tensors.get_slice(name).get_dtype() for name in tensors.keys()}

    return types


def merge_error(entry: Entry) -> float:
    """Largest difference of a weight from what PEFT merges, beyond what the type that it is stored in rounds."""
    expected = open_adapted(entry).merge_and_unload().state_dict()
    found = open_model(entry["merged"]).state_dict()
    if found.keys() != expected.keys():
        raise SystemExit(f"Cannot compare {entry['merged']}: {sorted(found.keys() ^ expected.keys())}")

    types = stored_types(entry["merged"])

    def error(name: str, weight: torch.Tensor) -> float:
        module = name.rpartition(".")[0] + "."
        rounding = max(ROUNDING.get(kind, 0) for stored, kind in types.items() if stored.startswith(module))
        return ((found[name] - weight).abs() - rounding * weight.abs()).max().item()

    return max(error(name, weight) for name, weight in expected.items() if name != "lm_head.weight" or name in types)


def classes(entry: Entry) -> dict[str, float]:
    """Mean losses of a classifier: our adapter, what we merged, and an adapter that is saved here."""
    config = AutoConfig.from_pretrained(entry["adapter"])
    tokenizer = AutoTokenizer.from_pretrained(entry["model"])

    def base() -> PreTrainedModel:
        return AutoModelForSequenceClassification.from_pretrained(
            entry["model"], config=config, dtype=torch.float32, attn_implementation="eager"
        )

    def loss(model: torch.nn.Module) -> float:
        with torch.no_grad():
            return sum(
                model(**tokenizer(text, return_tensors="pt"), labels=torch.tensor([label])).loss.item()
                for text, label in entry["texts"]
            ) / len(entry["texts"])

    torch.manual_seed(SEED)
    options = {"r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "v_proj"], "init_lora_weights": False}
    made = get_peft_model(base(), LoraConfig(task_type="SEQ_CLS", **options)).eval()
    made.save_pretrained(entry["output"])
    merged, report = AutoModelForSequenceClassification.from_pretrained(
        entry["merged"], dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    problems = {kind: sorted(map(str, found)) for kind, found in report.items() if found}
    if problems:
        raise SystemExit(f"Cannot load {entry['merged']} whole: {problems}")

    return {
        "adapter": loss(PeftModel.from_pretrained(base(), entry["adapter"]).eval()),
        "merged": loss(merged.eval()),
        "theirs": loss(made),
    }


def foreign_rows(folder: str, rows: list[Row]) -> int:
    """How many texts the reference's tokenizer cuts otherwise."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return sum(tokenizer(row["text"], add_special_tokens=False).input_ids != row["ids"] for row in rows)


def main(job_file: str, result_file: str) -> None:
    torch.set_num_threads(2)
    job = json.loads(Path(job_file).read_text())
    rows = [json.loads(line) for line in Path(job["rows"]).read_text().splitlines()]
    result = {
        "rows_cut_otherwise": foreign_rows(job["tokenizer"], rows),
        "losses": losses(job["losses"], rows),
        "answers": {name: answers(entry) for name, entry in job["answers"].items()},
        "adapters": {name: make_adapter(entry, rows) for name, entry in job["adapters"].items()},
        "classes": classes(job["classes"]),
        "cut": AutoTokenizer.from_pretrained(job["cut"]["tokenizer"])(job["cut"]["text"], add_special_tokens=False).input_ids,
    }
    Path(result_file).write_text(json.dumps(result, indent=2))


if __name__ == "__main__":
    main(*sys.argv[1:])
