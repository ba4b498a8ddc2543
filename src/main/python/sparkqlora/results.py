"""What commands come to. Sizes are in bytes, durations in seconds, losses in nats a trained token."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar

from sparkqlora.tables import Table, megabytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

T = TypeVar("T")


def read(kind: type[T], summary: Mapping[str, Any], **more: Any) -> T:
    """Make a result of a command's summary; what the result has no field for is left out."""
    names = {known.name for known in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in summary.items() if name in names}, **more)


@dataclass(frozen=True)
class MethodMemory:
    """Where memory goes in training by one method."""

    executor: Mapping[str, int]
    executor_bytes: int
    executor_heap_bytes: int
    executor_file_bytes: int
    gpu: Mapping[str, int]
    gpu_bytes: int
    gpu_most_rows: Mapping[str, int]
    driver_bytes: int
    total_bytes: int
    fits: Mapping[str, bool]
    predicted_bytes: int | None = None
    measured_bytes: int | None = None


@dataclass(frozen=True)
class MemoryPlan:
    """Estimates of :func:`sparkqlora.plan` by method: ``full``, ``lora``, ``qlora``."""

    parameters: int
    machine_bytes: int
    methods: Mapping[str, MethodMemory]
    bits_per_weight: float
    costs: Sequence[Mapping[str, Any]] = ()
    """With ``network``: seconds of a step by method and number of executors."""

    @classmethod
    def of(cls, summary: Mapping[str, Any]) -> MemoryPlan:
        """Read the summary of ``plan``."""
        measured = summary.get("measured", {})
        methods = {
            name: read(MethodMemory, memory, **measured.get(name, {})) for name, memory in summary["methods"].items()
        }
        return read(cls, {**summary, "methods": methods})

    def table(self) -> Table:
        """Return what an executor holds, a line a use."""
        uses = list(next(iter(self.methods.values())).executor)
        rows = [
            [use.replace("_", " "), *(megabytes(memory.executor[use]) for memory in self.methods.values())]
            for use in uses
        ]
        rows.append(["executor", *(megabytes(memory.executor_bytes) for memory in self.methods.values())])
        return Table(["", *self.methods], rows)

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


@dataclass(frozen=True)
class MethodRun:
    """What training by one method came to."""

    trained_parameters: int
    peak_bytes: int
    tokens_per_second: float
    last_loss: float
    published_bytes: int
    eval_loss: float | None = None


@dataclass(frozen=True)
class Comparison:
    """What :func:`sparkqlora.compare` measured, by method."""

    methods: Mapping[str, MethodRun]

    @classmethod
    def of(cls, summary: Mapping[str, Any]) -> Comparison:
        """Read the summary of ``compare``."""
        return cls({name: read(MethodRun, run) for name, run in summary["methods"].items()})

    def table(self) -> Table:
        """Return a line a figure."""
        runs = list(self.methods.values())
        rows = [
            ["trained parameters", *(f"{run.trained_parameters:,}" for run in runs)],
            ["peak memory of the process", *(megabytes(run.peak_bytes) for run in runs)],
            ["tokens a second", *(f"{run.tokens_per_second:,.0f}" for run in runs)],
            ["last loss", *(f"{run.last_loss:.3f}" for run in runs)],
        ]
        if all(run.eval_loss is not None for run in runs):
            rows.append(["loss on held-out rows", *(f"{run.eval_loss:.3f}" for run in runs)])

        rows.append(["published", *(megabytes(run.published_bytes) for run in runs)])
        return Table(["", *self.methods], rows)

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


@dataclass(frozen=True)
class TrainedModel:
    """What a run of ``train`` came to."""

    adapter: str
    trained_parameters: int
    steps: int
    resumed_from: int
    tokens_per_second: float
    seconds: float
    first_loss: float | None = None
    last_loss: float | None = None
    eval_loss: float | None = None
    adapter_eval_loss: float | None = None
    best_eval_loss: float | None = None
    best_step: int | None = None
    data: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Evaluation:
    """The loss over data."""

    loss: float
    perplexity: float
    tokens: int


@dataclass(frozen=True)
class Answer:
    """What a model says."""

    prompt: str
    text: str
    tokens: int


@dataclass(frozen=True)
class QuantizedModel:
    """A model in 4 bits."""

    output: str
    quantized_weights: int
    bytes_before: int
    bytes_after: int
    bits_per_weight: float
    mean_absolute_error: float


@dataclass(frozen=True)
class ExportedFile:
    """A GGUF file. ``outtype`` is the type of its matrices."""

    output: str
    format: str
    outtype: str
    tensors: int
    bytes: int


@dataclass(frozen=True)
class MergedModel:
    """A model with its adapter folded in. ``loss`` has the losses that were asked for, by the base they are of."""

    output: str
    base: str
    loss: Mapping[str, float] = field(default_factory=dict)
