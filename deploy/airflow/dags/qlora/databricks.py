"""Steps as jar tasks on Databricks."""

from collections.abc import Mapping
from typing import Any

from airflow.providers.databricks.operators.databricks import DatabricksSubmitRunOperator

from qlora import settings
from qlora.ending import told_apart
from qlora.steps import Step


class DatabricksStep(DatabricksSubmitRunOperator):
    template_fields = (*DatabricksSubmitRunOperator.template_fields, "words")

    def __init__(self, *, step: Step, names: Mapping[str, Any], **others: Any) -> None:
        super().__init__(
            task_id=step.name,
            run_name=f"qlora {step.name} " + "{{ run_id }}",
            # Databricks ends what hangs, also when Airflow is away.
            timeout_seconds=int(step.longest.total_seconds()),
            # A crash between submission and its record must not start the same step twice.
            idempotency_token="{{ ti.id }}-{{ ti.try_number }}",
            deferrable=True,
            execution_timeout=step.longest,
            **others,
        )
        self.step = step
        self.names = names
        self.words = list(step.words)

    def execute(self, context: Any) -> Any:
        params = context["params"]
        arguments = self.step.arguments(self.words, params)
        task = {
            "task_key": self.step.name,
            "spark_jar_task": {"main_class_name": "org.sparkqlora.cli.Main", "parameters": arguments},
            "libraries": [{"jar": self.names["jar"]}],
            **cluster(self.names, self.step, params["executors"]),
        }
        self.tasks = [task]
        self.polling_period_seconds = self.names["poll_seconds"]
        with told_apart():
            return super().execute(context)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Any) -> Any:
        with told_apart():
            return super().resume_execution(next_method, next_kwargs, context)


def cluster(names: Mapping[str, Any], step: Step, executors: int) -> dict[str, Any]:
    """The cluster named, or a new one for this step alone: dearer to start, cheaper an hour, gone afterwards."""
    if names["cluster_id"]:
        return {"existing_cluster_id": names["cluster_id"]}

    new = {
        "spark_version": names["spark_version"],
        "node_type_id": names["node_type"],
        "num_workers": executors if step.distributed else 1,
        # A jar that uses Spark's own classes needs a cluster of one user.
        "data_security_mode": "SINGLE_USER",
        "spark_conf": settings.read(names["properties_file"]),
        # Freed blocks stay with the process, in few arenas, and waiting threads sleep: for the driver too, so not in spark_conf.
        "spark_env_vars": {
            "GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=1073741824:glibc.malloc.trim_threshold=4294967295"
            ":glibc.malloc.arena_max=8",
            "OMP_WAIT_POLICY": "PASSIVE",
            "SPARK_QLORA_JAR": names["jar"],
        },
        # Puts the jar where Spark starts with it: its serialiser is loaded before a job's libraries are.
        "init_scripts": [{"volumes": {"destination": names["init_script"]}}],
    }
    if names["instance_pool_id"]:
        # Machines that wait in a pool save the minutes that each step's cluster takes to start.
        new.pop("node_type_id")
        new["instance_pool_id"] = names["instance_pool_id"]
    return {"new_cluster": new}
