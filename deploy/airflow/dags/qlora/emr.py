"""Steps on EMR: on a cluster that runs, or serverless."""

import json
from collections.abc import Mapping
from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.operators.emr import EmrAddStepsOperator, EmrServerlessStartJobOperator
from airflow.sdk.exceptions import AirflowException

from qlora import settings
from qlora.ending import refuse
from qlora.steps import Step

MAIN = "org.sparkqlora.cli.Main"


class ToldByResult:
    """EMR tells no exit code of a step, so the file is read that the command wrote."""

    template_fields = ("words", "result")
    # A result is called .json and is no template.
    template_ext = ()

    def forget(self) -> None:
        """Removes what an earlier attempt left, which must not be taken for this one's."""
        bucket, key = S3Hook.parse_s3_url(self.result)
        S3Hook(aws_conn_id=self.aws_conn_id).delete_objects(bucket=bucket, keys=key)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Any) -> Any:
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except AirflowException as failure:
            told = self.told()
            refuse({told.get("code")}, f"{told.get('reasons')}", failure)
            raise

    def told(self) -> dict[str, Any]:
        """How the command ended; nothing if it could not even say so."""
        hook = S3Hook(aws_conn_id=self.aws_conn_id)
        return json.loads(hook.read_key(self.result)) if hook.check_for_key(self.result) else {}

    def take(self, step: Step, names: Mapping[str, Any]) -> None:
        self.step = step
        self.names = names
        self.words = list(step.words)
        self.result = step.result
        self.waiter_delay = names["poll_seconds"]
        self.waiter_max_attempts = int(step.longest.total_seconds() / self.waiter_delay)


class EmrStep(ToldByResult, EmrAddStepsOperator):
    template_fields = (*EmrAddStepsOperator.template_fields, *ToldByResult.template_fields)

    def __init__(self, *, step: Step, names: Mapping[str, Any], **others: Any) -> None:
        super().__init__(
            task_id=step.name,
            job_flow_id=names["cluster_id"],
            steps=[
                {
                    "Name": f"qlora {step.name}",
                    # The cluster stays for the next attempt.
                    "ActionOnFailure": "CONTINUE",
                    "HadoopJarStep": {
                        "Jar": "command-runner.jar",
                        "Args": [
                            "spark-submit",
                            "--deploy-mode",
                            names["deploy_mode"],
                            "--class",
                            MAIN,
                            "--conf",
                            "spark.executor.instances=" + ("{{ params.executors }}" if step.distributed else "1"),
                            names["jar"],
                        ],
                    },
                }
            ],
            # No worker of Airflow waits for hours.
            deferrable=True,
            execution_timeout=step.longest,
            **others,
        )
        self.take(step, names)

    def execute(self, context: Any) -> Any:
        self.forget()
        self.steps[0]["HadoopJarStep"]["Args"] += self.step.arguments(self.words, context["params"])
        return super().execute(context)


class EmrServerlessStep(ToldByResult, EmrServerlessStartJobOperator):
    template_fields = (*EmrServerlessStartJobOperator.template_fields, *ToldByResult.template_fields)

    def __init__(self, *, step: Step, names: Mapping[str, Any], **others: Any) -> None:
        super().__init__(
            task_id=step.name,
            name=f"qlora {step.name}",
            application_id=names["application_id"],
            execution_role_arn=names["execution_role_arn"],
            job_driver={"sparkSubmit": {"entryPoint": names["jar"], "sparkSubmitParameters": f"--class {MAIN}"}},
            configuration_overrides={
                "monitoringConfiguration": {"s3MonitoringConfiguration": {"logUri": f"{names['runs']}/logs/"}}
            },
            config={"executionTimeoutMinutes": int(step.longest.total_seconds() / 60)},
            deferrable=True,
            execution_timeout=step.longest,
            **others,
        )
        self.take(step, names)

    def execute(self, context: Any, event: dict[str, Any] | None = None) -> Any:
        self.forget()
        params = context["params"]
        self.job_driver["sparkSubmit"]["entryPointArguments"] = self.step.arguments(self.words, params)
        self.configuration_overrides["applicationConfiguration"] = [
            {
                "classification": "spark-defaults",
                "properties": {
                    **settings.read(self.names["properties_file"]),
                    "spark.executor.instances": str(params["executors"] if self.step.distributed else 1),
                },
            }
        ]
        return super().execute(context, event)
