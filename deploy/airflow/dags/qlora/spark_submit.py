"""Steps by spark-submit: standalone, YARN, Kubernetes or this machine, as the connection says."""

from typing import Any

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator

from qlora.ending import told_apart
from qlora.steps import Step, arguments


class SparkSubmitStep(SparkSubmitOperator):
    template_fields = (*SparkSubmitOperator.template_fields, "line")

    def __init__(self, *, step: Step, **settings: Any) -> None:
        super().__init__(
            task_id=step.name,
            name=f"qlora-{step.name}",
            application="{{ params.jar }}",
            java_class="org.sparkqlora.cli.Main",
            properties_file="{{ params.properties_file }}",
            # What the driver does alone needs none, but spark-submit takes no less than one.
            conf={"spark.executor.instances": "{{ params.executors }}" if step.distributed else "1"},
            execution_timeout=step.longest,
            **settings,
        )
        self.line = step.line

    def execute(self, context: Any) -> Any:
        self.application_args = arguments(self.line)
        with told_apart():
            return super().execute(context)
