"""The task graph, the same for every target: validate, plan, prepare, train, evaluate, gate, publish."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from airflow.sdk import DAG, Param, chain

from qlora.steps import Step, steps

RETRY = {
    # A lost cluster comes back within minutes or hours; each attempt to train goes on where the last one ended.
    "retries": 5,
    "retry_exponential_backoff": True,
}

# Numbers and words of the method, which name no file and no server.
TRAIN_OPTIONS = (
    "adam-epsilon alpha batch-size checkpoint-every dropout epochs eval-every init-lora-weights keep-checkpoints learning-rate local-steps"
    " loraplus-ratio max-grad-norm max-steps micro-batch-size neftune-noise-alpha optimizer patience rank schedule seed shards use-dora"
    " use-rslora warmup-ratio warmup-steps weight-decay"
).split()


def pipeline(dag_id: str, names: Mapping[str, Any], task: Callable[[Step], Any]) -> DAG:
    """A DAG whose tasks a target makes of the steps."""
    with DAG(
        dag_id,
        schedule=None,
        catchup=False,
        # Two runs at once would share the executors and both be slower.
        max_active_runs=1,
        params=choices(names),
        default_args=RETRY,
        tags=["spark-qlora"],
    ) as dag:
        chain(*[task(step) for step in steps(names)])
    return dag


def choices(names: Mapping[str, Any]) -> dict[str, Param]:
    """What who triggers a run may choose. All that decides what runs, where and with which rights is among the names of the DAG's file."""
    place = "^(?!.*[.][.])(?:" + "|".join(re.escape(start) for start in names["inputs"]) + ")[A-Za-z0-9._/=@+-]*$"
    option = f"^--(?:{'|'.join(TRAIN_OPTIONS)})(?:=[A-Za-z0-9._+-]+)?$"
    return {
        "model": Param(names["model"], type="string", pattern=place, description="Model folder, or org/name on a hub"),
        "data": Param(names["data"], type="string", pattern=place, description="Examples to train on"),
        "held_out": Param(names["held_out"], type="string", pattern=place, description="Examples for the gate"),
        "sequence_length": Param(1024, type="integer", minimum=2, maximum=131072, description="Tokens a row"),
        "executors": Param(
            min(2, names["most_executors"]),
            type="integer",
            minimum=1,
            maximum=names["most_executors"],
            description="Executors of the steps that work on the data",
        ),
        "max_loss": Param(2.5, type="number", description="Largest loss on held-out data that is published"),
        "train_options": Param(
            ["--epochs=1"],
            type="array",
            items={"type": "string", "pattern": option},
            description="More options of train, each with its value: --learning-rate=1e-4",
        ),
    }
