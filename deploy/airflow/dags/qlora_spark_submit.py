"""Fine-tunes with QLoRA by spark-submit. Fill in the names below, or give them when the DAG is triggered."""

from airflow.sdk import Param

from qlora.pipeline import pipeline
from qlora.spark_submit import SparkSubmitStep

NAMES = {
    "model": Param("hdfs:///models/SmolLM2-135M-Instruct", description="Model folder, or org/name on a hub"),
    "data": Param("hdfs:///data/train.jsonl", description="Examples to train on"),
    "held_out": Param("hdfs:///data/held-out.jsonl", description="Examples for the gate"),
    "runs": Param("hdfs:///runs/my-model", description="A folder a DAG run goes below"),
    "published": Param("hdfs:///published/my-model", description="Adapters that passed the gate go below"),
    "jar": Param("/opt/spark-qlora/spark-qlora.jar", description="Where the worker of Airflow has it"),
    "properties_file": Param("/opt/spark-qlora/spark-conf/local.conf", description="Of spark-conf/, for your cluster"),
}

# The connection says master and deploy mode; see README.md.
dag = pipeline("qlora_spark_submit", NAMES, lambda step: SparkSubmitStep(step=step, conn_id="qlora_spark"))
