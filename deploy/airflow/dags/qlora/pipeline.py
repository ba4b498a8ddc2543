"""The task graph, the same for every target: validate, plan, prepare, train, evaluate, gate, publish."""

from collections.abc import Callable
from typing import Any

from airflow.sdk import DAG, Param, chain

from qlora.steps import STEPS, Step

# What may be left as it is. Names that must be filled in are in the DAG of a target.
DEFAULTS: dict[str, Any] = {
    "sequence_length": Param(1024, type="integer", minimum=2, description="Tokens a row"),
    "executors": Param(2, type="integer", minimum=1, description="Executors of the steps that work on the data"),
    "data_options": Param("", type="string", description="More options of prepare and evaluate, such as --format text"),
    "model_options": Param("", type="string", description="More options of train and evaluate, such as --method lora"),
    "train_options": Param("--epochs 1", type="string", description="More options of train"),
    "max_loss": Param(2.5, type="number", description="Largest loss on held-out data that is published"),
}

RETRY = {
    # A lost cluster comes back within minutes or hours; each attempt to train goes on where the last one ended.
    "retries": 5,
    "retry_exponential_backoff": True,
}


def pipeline(dag_id: str, names: dict[str, Any], task: Callable[[Step], Any]) -> DAG:
    """A DAG whose tasks a target makes of the steps."""
    with DAG(
        dag_id,
        schedule=None,
        catchup=False,
        # Two runs at once would share the executors and both be slower.
        max_active_runs=1,
        params={**DEFAULTS, **names},
        default_args=RETRY,
        tags=["spark-qlora"],
    ) as dag:
        chain(*[task(step) for step in STEPS])
    return dag
