"""Steps as jar tasks on Databricks."""

from typing import Any

from airflow.providers.databricks.operators.databricks import DatabricksSubmitRunOperator

from qlora import settings
from qlora.ending import told_apart
from qlora.steps import Step, arguments


class DatabricksStep(DatabricksSubmitRunOperator):
    template_fields = (*DatabricksSubmitRunOperator.template_fields, "line")

    def __init__(self, *, step: Step, **others: Any) -> None:
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
        self.line = step.line

    def execute(self, context: Any) -> Any:
        params = context["params"]
        task = {
            "task_key": self.step.name,
            "spark_jar_task": {"main_class_name": "org.sparkqlora.cli.Main", "parameters": arguments(self.line)},
            "libraries": [{"jar": params["jar"]}],
            **cluster(params, self.step),
        }
        self.tasks = [task]
        self.polling_period_seconds = params["poll_seconds"]
        with told_apart():
            return super().execute(context)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Any) -> Any:
        with told_apart():
            return super().resume_execution(next_method, next_kwargs, context)


def cluster(params: Any, step: Step) -> dict[str, Any]:
    """The cluster named, or a new one for this step alone: dearer to start, cheaper an hour, gone afterwards."""
    if params["cluster_id"]:
        return {"existing_cluster_id": params["cluster_id"]}

    new = {
        "spark_version": params["spark_version"],
        "node_type_id": params["node_type"],
        "num_workers": params["executors"] if step.distributed else 1,
        # A jar that uses Spark's own classes needs a cluster of one user.
        "data_security_mode": "SINGLE_USER",
        "spark_conf": settings.read(params["properties_file"]),
        # Freed blocks stay with the process, in one arena, and waiting threads sleep: for the driver too, so not in spark_conf.
        "spark_env_vars": {
            "GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=1073741824:glibc.malloc.trim_threshold=4294967295"
            ":glibc.malloc.arena_max=1",
            "OMP_WAIT_POLICY": "PASSIVE",
            "SPARK_QLORA_JAR": params["jar"],
        },
        # Puts the jar where Spark starts with it: its serialiser is loaded before a job's libraries are.
        "init_scripts": [{"volumes": {"destination": params["init_script"]}}],
    }
    if params["instance_pool_id"]:
        # Machines that wait in a pool save the minutes that each step's cluster takes to start.
        new.pop("node_type_id")
        new["instance_pool_id"] = params["instance_pool_id"]
    return {"new_cluster": new}
