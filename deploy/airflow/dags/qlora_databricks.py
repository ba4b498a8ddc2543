"""A DAG of Airflow (which looks for these two words): fine-tunes with QLoRA on Databricks. Fill in the names below."""

from qlora.databricks import DatabricksStep
from qlora.pipeline import pipeline

# Who edits this file decides what runs, where and with which rights. Who triggers the DAG chooses among what qlora/pipeline.py allows.
NAMES = {
    # What a run may read, and its first choices: beginnings of paths, or organisations of a hub.
    "inputs": ["dbfs:/Volumes/main/qlora/files/models/", "dbfs:/Volumes/main/qlora/files/data/"],
    "model": "dbfs:/Volumes/main/qlora/files/models/SmolLM2-135M-Instruct",
    "data": "dbfs:/Volumes/main/qlora/files/data/train.jsonl",
    "held_out": "dbfs:/Volumes/main/qlora/files/data/held-out.jsonl",
    # A folder a DAG run goes below the first; adapters that passed the gate go below the second.
    "runs": "dbfs:/Volumes/main/qlora/files/runs/my-model",
    "published": "dbfs:/Volumes/main/qlora/files/published/my-model",
    "most_executors": 16,
    # More options of prepare and evaluate, such as --format=text, and of train and evaluate, such as --method=lora.
    "data_options": [],
    "model_options": [],
    # In a volume: DBFS serves no libraries since 16.0. With Spark 4 spark-qlora-spark4.jar. The script is that of deploy/databricks, for new clusters.
    "jar": "/Volumes/main/qlora/files/spark-qlora/spark-qlora.jar",
    "init_script": "/Volumes/main/qlora/files/spark-qlora/init.sh",
    # A cluster of one user; empty: a new one for each step, of machines of that type or out of that pool.
    "cluster_id": "",
    "instance_pool_id": "",
    "node_type": "m6i.2xlarge",
    # An LTS with the jar's Scala: 17.3.x-scala2.13 has Spark 4.0; with GPUs 16.4.x-gpu-ml-scala2.12.
    "spark_version": "16.4.x-scala2.12",
    # Where the worker of Airflow has it.
    "properties_file": "/opt/spark-qlora/spark-conf/databricks.conf",
    "poll_seconds": 30,
}

dag = pipeline(
    "qlora_databricks", NAMES, lambda step: DatabricksStep(step=step, names=NAMES, databricks_conn_id="databricks_default")
)
