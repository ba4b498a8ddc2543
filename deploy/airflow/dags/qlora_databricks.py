"""Fine-tunes with QLoRA on Databricks. Fill in the names below."""

from airflow.sdk import Param

from qlora.databricks import DatabricksStep
from qlora.pipeline import pipeline

NAMES = {
    "model": Param("dbfs:/Volumes/main/qlora/files/models/SmolLM2-135M-Instruct", description="Model folder, or org/name on a hub"),
    "data": Param("dbfs:/Volumes/main/qlora/files/data/train.jsonl", description="Examples to train on"),
    "held_out": Param("dbfs:/Volumes/main/qlora/files/data/held-out.jsonl", description="Examples for the gate"),
    "runs": Param("dbfs:/Volumes/main/qlora/files/runs/my-model", description="A folder a DAG run goes below"),
    "published": Param("dbfs:/Volumes/main/qlora/files/published/my-model", description="Adapters that passed the gate go below"),
    "jar": Param("/Volumes/main/qlora/files/spark-qlora/spark-qlora.jar", description="A volume: DBFS serves no libraries since 16.0"),
    "init_script": Param("/Volumes/main/qlora/files/spark-qlora/init.sh", description="Of deploy/databricks, for new clusters"),
    "cluster_id": Param("", type="string", description="A cluster of one user; empty: a new one for each step"),
    "instance_pool_id": Param("", type="string", description="Where new clusters get their machines"),
    "spark_version": Param("16.4.x-scala2.12", description="An LTS with Scala 2.12; with GPUs 16.4.x-gpu-ml-scala2.12"),
    "node_type": Param("m6i.2xlarge", description="Of new clusters without a pool"),
    "properties_file": Param("/opt/spark-qlora/spark-conf/databricks.conf", description="Where the worker of Airflow has it"),
    "poll_seconds": 30,
}

dag = pipeline("qlora_databricks", NAMES, lambda step: DatabricksStep(step=step, databricks_conn_id="databricks_default"))
