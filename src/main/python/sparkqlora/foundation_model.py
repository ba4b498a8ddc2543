"""A run of ``train`` by the parameters of ``create`` in Databricks' ``databricks.model_training.foundation_model``."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparkqlora.commands import question, train
from sparkqlora.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sparkqlora.commands import Option
    from sparkqlora.results import TrainedModel
    from sparkqlora.sessions import Place

_TASKS: dict[str, dict[str, str]] = {
    "CHAT_COMPLETION": {"format": "messages"},
    "INSTRUCTION_FINETUNE": {"format": "prompt-completion", "columns": "completion=response"},
    "CONTINUED_PRETRAIN": {"format": "text"},
}
_DURATION = re.compile(r"([\d_]+)(ep|ba)")
_REGISTERED_PARTS = 3
_DATA_SET = re.compile(r"[\w.-]+/[\w.-]+(/[\w.-]+)?")


def create(  # noqa: PLR0913 - those of Databricks
    model: Place,
    train_data_path: Place,
    register_to: str | None = None,
    *,
    output: Place,
    experiment_path: str | None = None,
    task_type: str | None = "CHAT_COMPLETION",
    eval_data_path: Place | None = None,
    eval_prompts: Sequence[str] | None = None,
    custom_weights_path: Place | None = None,
    training_duration: str | None = None,
    learning_rate: float | str | None = None,
    context_length: int | None = None,
    validate_inputs: bool | None = True,
    data_prep_cluster_id: str | None = None,
    progress: bool = False,
    **options: Option,
) -> TrainedModel:
    """Train, and return when it is done.

    :param model: name on the hub, or folder
    :param train_data_path: table of the catalog, file or folder
    :param register_to: ``catalog.schema`` or ``catalog.schema.model`` in the registry of ``MLFLOW_TRACKING_URI``
    :param output: folder of the run, which Databricks chose itself
    :param experiment_path: of MLflow
    :param task_type: ``CHAT_COMPLETION`` (column ``messages``), ``INSTRUCTION_FINETUNE`` (columns ``prompt`` and
        ``response``) or ``CONTINUED_PRETRAIN`` (text)
    :param eval_data_path: as ``train_data_path``
    :param eval_prompts: questions that are answered at each evaluation, into ``samples.jsonl``
    :param training_duration: ``3ep`` or ``100ba``; one epoch unless given
    :param learning_rate: of an adapter, some hundred times that of a whole model; that of ``train`` unless given
    :param context_length: tokens a row
    :param progress: show on stderr how it goes
    :param options: more options of ``train``, such as ``method="full"``
    :raises BadInputError: when configuration or input is bad, telling all that is wrong
    """
    problems = _unsupported(
        {
            "custom_weights_path": (
                custom_weights_path,
                "Composer's checkpoints are not read: give init_adapter=FOLDER of an adapter, or a model of its own",
            ),
            "data_prep_cluster_id": (
                data_prep_cluster_id,
                "rows are made on the cluster of this session: leave it out",
            ),
            "validate_inputs": (None if validate_inputs else False, "inputs are always checked: leave it out"),
        }
    )
    known = _TASKS.get(task_type or "CHAT_COMPLETION")
    if known is None:
        problems.append(f"task_type: expected one of {', '.join(_TASKS)}, found {task_type}")

    problems.extend(
        f"{name}: expected a table, a file or a folder, found {path}, a data set of the hub. Save it as one first"
        for name, path in (("train_data_path", train_data_path), ("eval_data_path", eval_data_path))
        if path is not None and _is_data_set(os.fspath(path))
    )
    asked: dict[str, Any] = {
        **(known or {}),
        **_length(training_duration, problems),
        **_tracking(register_to, experiment_path, output, problems),
        "eval_data": eval_data_path,
        "learning_rate": _rate(learning_rate, problems),
        "sequence_length": context_length,
    }
    if isinstance(eval_prompts, str):
        problems.append(f"eval_prompts: expected a list of texts, found the text {eval_prompts}")

    if problems:
        raise BadInputError("\n  ".join([f"Cannot create a run: {len(problems)} problem(s)", *problems]))

    with tempfile.TemporaryDirectory() as folder:
        if eval_prompts:
            questions = Path(folder) / "prompts.jsonl"
            questions.write_text("".join(map(question, eval_prompts)), encoding="utf-8")
            asked["eval_prompts"] = questions

        return train(model, train_data_path, output, progress=progress, **{**asked, **options})


def _unsupported(parameters: dict[str, tuple[Any, str]]) -> list[str]:
    return [f"{name}: {way_out}" for name, (value, way_out) in parameters.items() if value is not None]


def _is_data_set(path: str) -> bool:
    return bool(_DATA_SET.fullmatch(path)) and not Path(path).exists()


def _length(duration: str | None, problems: list[str]) -> dict[str, Any]:
    if duration is None:
        return {}

    given = _DURATION.fullmatch(str(duration).strip())
    if given is None:
        problems.append(f"training_duration: expected epochs or batches, such as 3ep or 100ba, found {duration}")
        return {}

    return {"epochs" if given[2] == "ep" else "max_steps": int(given[1])}


def _rate(rate: float | str | None, problems: list[str]) -> float | None:
    try:
        return None if rate is None else float(rate)
    except ValueError:
        problems.append(f"learning_rate: expected a number, such as 1e-4, found {rate}")
        return None


def _tracking(
    register_to: str | None, experiment_path: str | None, output: Place, problems: list[str]
) -> dict[str, Any]:
    if register_to is None and experiment_path is None:
        return {}

    address = os.environ.get("MLFLOW_TRACKING_URI", "")
    if not address.startswith("http"):
        problems.append(
            f"{'experiment_path' if register_to is None else 'register_to'}: expected the address of an MLflow server"
            " in MLFLOW_TRACKING_URI, such as http://host:5000, found none. With MLFLOW_REGISTRY_URI beside it,"
            " such as databricks-uc, the model goes to Unity Catalog"
        )
        return {}

    return {
        "mlflow": address,
        "mlflow_experiment": experiment_path,
        "register_model": None if register_to is None else _registered(register_to, output),
    }


def _registered(register_to: str, output: Place) -> str:
    parts = register_to.split(".")
    if len(parts) < _REGISTERED_PARTS:
        parts.append(Path(os.fspath(output)).name)

    return ".".join(parts)
