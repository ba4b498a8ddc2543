"""Steps by spark-submit: standalone, YARN, Kubernetes or this machine, as the connection says."""

from collections.abc import Mapping
from typing import Any

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator

from qlora.ending import told_apart
from qlora.steps import Step


class SparkSubmitStep(SparkSubmitOperator):
    template_fields = (*SparkSubmitOperator.template_fields, "words")

    def __init__(self, *, step: Step, names: Mapping[str, Any], **others: Any) -> None:
        super().__init__(
            task_id=step.name,
            name=f"qlora-{step.name}",
            application=names["jar"],
            java_class="org.sparkqlora.cli.Main",
            properties_file=names["properties_file"],
            # What the driver does alone needs none, but spark-submit takes no less than one.
            conf={"spark.executor.instances": "{{ params.executors }}" if step.distributed else "1"},
            execution_timeout=step.longest,
            **others,
        )
        self.step = step
        self.words = list(step.words)

    def execute(self, context: Any) -> Any:
        self.application_args = self.step.arguments(self.words, context["params"])
        with told_apart():
            return super().execute(context)
