"""What each task runs: a line of spark-qlora.jar, filled in from the DAG's parameters when the task starts."""

import shlex
from dataclasses import dataclass
from datetime import timedelta

# Every attempt of a DAG run, by a retry or by "Clear", works in the same folder, and so goes on where the last one ended.
VERSION = "{{ run_id | replace(':', '-') | replace('+', '-') }}"
RUN = "{{ params.runs }}/" + VERSION


@dataclass(frozen=True)
class Step:
    """A task, whichever scheduler of Spark runs it."""

    name: str
    command: str
    # A hung cluster must not hold the pipeline for ever; the longest that the work itself may take is known best by you.
    longest: timedelta
    # Whether it works on executors; the others are done by the driver in seconds.
    distributed: bool = True

    @property
    def result(self) -> str:
        """Where the command tells how it ended."""
        return f"{RUN}/results/{self.name}.json"

    @property
    def line(self) -> str:
        return f"{self.command} --result '{self.result}'"


MODEL = "--model '{{ params.model }}'"
WIDTH = "--sequence-length {{ params.sequence_length }}"
DATA_OPTIONS = "{{ params.data_options }}"
MODEL_OPTIONS = "{{ params.model_options }}"
TRAIN_OPTIONS = "{{ params.train_options }}"
DATA = "'{{ params.data }}'"
HELD_OUT = "'{{ params.held_out }}'"
MAX_LOSS = "{{ params.max_loss }}"
EXECUTORS = "{{ params.executors }}"
PUBLISHED = "{{ params.published }}/" + VERSION

STEPS = (
    # All that can be wrong with options, model, data and cluster is told here, before anything is paid for.
    Step(
        "validate",
        f"train --dry-run {MODEL} --data {DATA} --eval-data {HELD_OUT} --output '{RUN}/train' {WIDTH}"
        f" {DATA_OPTIONS} {MODEL_OPTIONS} {TRAIN_OPTIONS}",
        timedelta(hours=1),
    ),
    # What each method would take, for people who ask later why a cluster was chosen.
    Step(
        "plan",
        f"plan {MODEL} {WIDTH} --executors {EXECUTORS}",
        timedelta(minutes=30),
        distributed=False,
    ),
    # Rows are made once and kept for every attempt to train.
    Step(
        "prepare",
        f"prepare {MODEL} --data {DATA} --output '{RUN}/rows' {WIDTH} {DATA_OPTIONS}",
        timedelta(hours=12),
    ),
    # --resume auto: a retry goes on from the newest checkpoint, to the same bytes.
    Step(
        "train",
        f"train {MODEL} --data '{RUN}/rows' --output '{RUN}/train' --resume auto {MODEL_OPTIONS} {TRAIN_OPTIONS}",
        timedelta(days=7),
    ),
    Step(
        "evaluate",
        f"evaluate {MODEL} --adapter '{RUN}/train/adapter' --data {HELD_OUT} --prepared '{RUN}/rows-held-out' {WIDTH}"
        f" {DATA_OPTIONS} {MODEL_OPTIONS}",
        timedelta(hours=12),
    ),
    # Ends with 64 when the loss is too high: the run fails here, at once, and nothing is published.
    Step(
        "gate",
        f"gate --evaluation '{RUN}/results/evaluate.json' --max-loss {MAX_LOSS}",
        timedelta(minutes=30),
        distributed=False,
    ),
    Step(
        "publish",
        f"publish --from '{RUN}/train/adapter' --to '{PUBLISHED}'",
        timedelta(hours=1),
        distributed=False,
    ),
)


def arguments(line: str) -> list[str]:
    """The words of a line as a shell would read them."""
    return shlex.split(line)
