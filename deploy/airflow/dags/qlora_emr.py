"""Fine-tunes with QLoRA on a cluster of EMR, made as deploy/emr says. Fill in the names below."""

from airflow.sdk import Param

from qlora.emr import POLL, EmrStep
from qlora.pipeline import pipeline

NAMES = {
    "model": Param("s3://my-bucket/models/SmolLM2-135M-Instruct", description="Model folder, or org/name on a hub"),
    "data": Param("s3://my-bucket/data/train.jsonl", description="Examples to train on"),
    "held_out": Param("s3://my-bucket/data/held-out.jsonl", description="Examples for the gate"),
    "runs": Param("s3://my-bucket/runs/my-model", description="A folder a DAG run goes below"),
    "published": Param("s3://my-bucket/published/my-model", description="Adapters that passed the gate go below"),
    "cluster_id": Param("j-0000000000000", description="The cluster"),
    "jar": Param("s3://my-bucket/spark-qlora/spark-qlora.jar", description="Where the cluster finds it"),
    # The driver survives the end of the step's client, and large States do not fill the primary node.
    "deploy_mode": Param("cluster", enum=["cluster", "client"]),
    **POLL,
}

dag = pipeline("qlora_emr", NAMES, lambda step: EmrStep(step=step, aws_conn_id="aws_default"))
