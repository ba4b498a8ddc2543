"""Fine-tunes with QLoRA on EMR Serverless, which has no GPUs. Fill in the names below."""

from airflow.sdk import Param

from qlora.emr import POLL, EmrServerlessStep
from qlora.pipeline import pipeline

NAMES = {
    "model": Param("s3://my-bucket/models/SmolLM2-135M-Instruct", description="Model folder, or org/name on a hub"),
    "data": Param("s3://my-bucket/data/train.jsonl", description="Examples to train on"),
    "held_out": Param("s3://my-bucket/data/held-out.jsonl", description="Examples for the gate"),
    "runs": Param("s3://my-bucket/runs/my-model", description="A folder a DAG run goes below"),
    "published": Param("s3://my-bucket/published/my-model", description="Adapters that passed the gate go below"),
    "application_id": Param("00000000000000", description="The application, of type SPARK"),
    "execution_role_arn": Param(
        "arn:aws:iam::000000000000:role/spark-qlora-job", description="A role with the rights of deploy/emr/iam-job-policy.json"
    ),
    "jar": Param("s3://my-bucket/spark-qlora/spark-qlora.jar", description="Where the application finds it"),
    "properties_file": Param("/opt/spark-qlora/spark-conf/emr.conf", description="Where the worker of Airflow has it"),
    **POLL,
}

dag = pipeline("qlora_emr_serverless", NAMES, lambda step: EmrServerlessStep(step=step, aws_conn_id="aws_default"))
