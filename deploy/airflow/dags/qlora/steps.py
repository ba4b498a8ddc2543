"""What each task runs: the words of a command of spark-qlora.jar, filled in from the DAG's parameters when the task starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

# Every attempt of a DAG run, by a retry or by "Clear", works in the same folder, and so goes on where the last one ended. Who triggers a
# run may choose its id, but no folder outside of RUNS by it.
VERSION = "{{ run_id | replace(':', '-') | replace('+', '-') | replace('/', '-') | replace('..', '-') }}"


@dataclass(frozen=True)
class Step:
    """A task, whichever scheduler of Spark runs it."""

    name: str
    # Templates of Airflow. An option and its value are one word, so that nothing in a value begins another option.
    words: tuple[str, ...]
    # Where the command tells how it ended.
    result: str
    # A hung cluster must not hold the pipeline for ever; the longest that the work itself may take is known best by you.
    longest: timedelta
    # Whether it works on executors; the others are done by the driver in seconds.
    distributed: bool = True
    # Whether it gets the options of train that a run was triggered with.
    trains: bool = False

    def arguments(self, words: list[str], params: Mapping[str, Any]) -> list[str]:
        """The command line, of the words as Airflow filled them in."""
        return [*words, *(params["train_options"] if self.trains else [])]


def steps(names: Mapping[str, Any]) -> tuple[Step, ...]:
    """The steps with the names of a target."""
    run = f"{names['runs']}/{VERSION}"
    model = "--model={{ params.model }}"
    data = "--data={{ params.data }}"
    width = "--sequence-length={{ params.sequence_length }}"
    data_options = names["data_options"]
    model_options = names["model_options"]

    def step(name: str, words: tuple[str, ...], longest: timedelta, **others: Any) -> Step:
        result = f"{run}/results/{name}.json"
        return Step(name, (*words, f"--result={result}"), result, longest, **others)

    return (
        # All that can be wrong with options, model, data and cluster is told here, before anything is paid for.
        step(
            "validate",
            ("train", "--dry-run", model, data, "--eval-data={{ params.held_out }}", f"--output={run}/train", width)
            + (*data_options, *model_options),
            timedelta(hours=1),
            trains=True,
        ),
        # What each method would take, for people who ask later why a cluster was chosen.
        step(
            "plan",
            ("plan", model, width, "--executors={{ params.executors }}"),
            timedelta(minutes=30),
            distributed=False,
        ),
        # Rows are made once and kept for every attempt to train.
        step(
            "prepare",
            ("prepare", model, data, f"--output={run}/rows", width, *data_options),
            timedelta(hours=12),
        ),
        # --resume auto: a retry goes on from the newest checkpoint, to the same bytes.
        step(
            "train",
            ("train", model, f"--data={run}/rows", f"--output={run}/train", "--resume=auto", *model_options),
            timedelta(days=7),
            trains=True,
        ),
        step(
            "evaluate",
            ("evaluate", model, f"--adapter={run}/train/adapter", "--data={{ params.held_out }}")
            + (f"--prepared={run}/rows-held-out", width, *data_options, *model_options),
            timedelta(hours=12),
        ),
        # Ends with 64 when the loss is too high: the run fails here, at once, and nothing is published.
        step(
            "gate",
            ("gate", f"--evaluation={run}/results/evaluate.json", "--max-loss={{ params.max_loss }}"),
            timedelta(minutes=30),
            distributed=False,
        ),
        step(
            "publish",
            ("publish", f"--from={run}/train/adapter", f"--to={names['published']}/{VERSION}"),
            timedelta(hours=1),
            distributed=False,
        ),
    )
