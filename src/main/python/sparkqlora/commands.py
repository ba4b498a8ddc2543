"""The commands of the command line as functions.

Each takes the command's options in Python's spelling: ``max_steps=30`` for ``--max-steps 30``, ``quantize=True`` for
``--quantize``, a list for several words, a dictionary for ``K=V`` pairs. ``None`` and ``False`` leave an option out.
``spark-submit spark-qlora.jar COMMAND --help`` tells what each means; all wrong ones are told together.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union, overload

from pyspark.sql import SparkSession

from sparkqlora.errors import BadInputError, QLoraError, told_plainly
from sparkqlora.jvm import java_class
from sparkqlora.results import (
    Answer,
    Comparison,
    Evaluation,
    ExportedFile,
    MemoryPlan,
    MergedModel,
    QuantizedModel,
    TrainedModel,
    read,
)

if TYPE_CHECKING:
    from sparkqlora.sessions import Place

Word = Union[str, int, float, "os.PathLike[str]"]
Option = Union[Word, Sequence[Word], Mapping[str, Word], None]


def run(command: str, *arguments: Word, progress: bool = False, **options: Option) -> dict[str, Any]:
    """Run a command and return its summary.

    :param command: such as ``prepare``
    :param arguments: what it takes beside options
    :param progress: show on stderr how it goes
    :param options: see the module
    :raises BadInputError: when configuration or input is bad, telling all that is wrong
    :raises ResumableError: when something outside failed
    """
    return _run(command, options, arguments, progress=progress)


def plan(model: Place | None = None, parameters: str | None = None, **options: Option) -> MemoryPlan:
    """Estimate where memory would go in full training, LoRA and QLoRA, from a model's shape alone.

    :param model: folder of a model
    :param parameters: or a size such as ``13B``
    """
    return MemoryPlan.of(_run("plan", {"model": model, "parameters": parameters, **options}))


def train(model: Place, data: Place, output: Place, *, progress: bool = False, **options: Option) -> TrainedModel:
    """Train on files, as ``QLoraEstimator.fit`` does on a data frame."""
    _require_result("train", options, "dry_run")
    return read(
        TrainedModel, _run("train", {"model": model, "data": data, "output": output, **options}, progress=progress)
    )


def compare(model: Place, data: Place, output: Place, *, progress: bool = False, **options: Option) -> Comparison:
    """Train by several methods, each in a process of its own on this machine, and tell what each took and came to.

    ``output`` gets the output of ``train`` in a folder a method, for :func:`metrics`.
    """
    return Comparison.of(
        _run("compare", {"model": model, "data": data, "output": output, **options}, progress=progress)
    )


def evaluate(model: Place, data: Place, adapter: Place | None = None, **options: Option) -> Evaluation:
    """Take the loss over data."""
    return read(Evaluation, _run("evaluate", {"model": model, "data": data, "adapter": adapter, **options}))


@overload
def generate(model: Place, prompt: str, adapter: Place | None = None, **options: Option) -> Answer: ...


@overload
def generate(model: Place, prompt: list[str], adapter: Place | None = None, **options: Option) -> list[Answer]: ...


def generate(
    model: Place, prompt: str | list[str], adapter: Place | None = None, **options: Option
) -> Answer | list[Answer]:
    """Let a model answer a prompt, or several, which takes hardly longer.

    :param prompt: what a user asks; or a list of such, answered together as a Spark job, each as it would be alone
        through files of this machine. On several machines take ``run("generate", ...)`` with a table or with files that
        all of them reach
    """
    asked = {"model": model, "adapter": adapter, **options}
    if isinstance(prompt, str):
        return read(Answer, _run("generate", {"prompt": prompt, **asked}))

    for index, each in enumerate(prompt):
        if not isinstance(each, str):
            raise BadInputError(f"Cannot generate: prompt[{index}]: expected a text, found {each!r}")

    if not prompt:
        return []

    with tempfile.TemporaryDirectory() as folder:
        prompts, answers = Path(folder, "prompts.jsonl"), Path(folder, "answers.jsonl")
        prompts.write_text("".join(map(question, prompt)), encoding="utf-8")
        _run("generate", {"prompts": prompts, "output": answers, **asked})
        # splitlines() would also cut at separators of Unicode inside an answer
        lines = answers.read_text(encoding="utf-8").removesuffix("\n").split("\n")

    return [read(Answer, {**json.loads(line), "prompt": each}) for each, line in zip(prompt, lines)]


def question(prompt: str) -> str:
    """Write a prompt as a line of a file of prompts."""
    return json.dumps({"messages": [{"role": "user", "content": prompt}]}) + "\n"


def merge(model: Place, adapter: Place, output: Place, **options: Option) -> MergedModel:
    """Write a model with its adapter folded in."""
    return read(MergedModel, _run("merge", {"model": model, "adapter": adapter, "output": output, **options}))


def export(model: Place, output: Place, adapter: Place | None = None, **options: Option) -> ExportedFile:
    """Write a model, alone or with an adapter folded in, or with ``adapter_only=True`` the adapter, as a GGUF file."""
    _require_result("export", options, "for")
    return read(ExportedFile, _run("export", {"model": model, "adapter": adapter, "output": output, **options}))


def quantize(model: Place, output: Place, **options: Option) -> QuantizedModel:
    """Write a model in 4 bits."""
    return read(QuantizedModel, _run("quantize", {"model": model, "output": output, **options}))


def inspect(path: Place, **options: Option) -> dict[str, Any]:
    """Tell what a model, adapter, data file, checkpoint or output folder is."""
    return _run("inspect", options, [path])


def metrics(output: Place) -> list[dict[str, Any]]:
    """Read what each step of a training run was like: its loss, learning rate, seconds and so on.

    :param output: the run's ``output``, on any file system of Hadoop's
    """
    session = SparkSession.getActiveSession()
    if session is None:
        raise QLoraError("Cannot read metrics: expected a Spark session, found none")

    with told_plainly():
        lines = session.read.text(f"{os.fspath(output)}/metrics.jsonl").collect()

    return [json.loads(line.value) for line in lines]


def _require_result(command: str, options: Mapping[str, Option], other: str) -> None:
    """Refuse an option that makes a command end in something other than its result."""
    if options.get(other):
        raise BadInputError(
            f"Cannot {command}: expected options that end in its result, found {other}. run({command!r}, ...) takes it"
            " and returns what the command says"
        )


def _run(
    command: str, options: Mapping[str, Option], arguments: Sequence[Word] = (), *, progress: bool = False
) -> dict[str, Any]:
    commands = java_class("org.sparkqlora.api.Commands")
    entry = commands.follow if progress else commands.run
    given = {name: _plain(value) for name, value in options.items() if value is not None}
    with told_plainly():
        printed: str = entry(command, [_text(word) for word in arguments], given)

    if not printed:
        raise BadInputError(
            f"Cannot summarise {command}: expected options that end in a summary, found such that print lines."
            " spark-submit shows them"
        )

    summary: dict[str, Any] = json.loads(printed)
    return summary


def _plain(value: Option) -> bool | str | list[str] | dict[str, str]:
    """Write words as text, whose meaning is the option's."""
    if isinstance(value, bool):
        return value

    if isinstance(value, Mapping):
        return {str(key): _text(each) for key, each in value.items()}

    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_text(each) for each in value]

    return _text(value)


def _text(word: object) -> str:
    return os.fspath(word) if isinstance(word, os.PathLike) else str(word)
