"""A DAG of Airflow (which looks for these two words): fine-tunes with QLoRA by spark-submit. Fill in the names below."""

from qlora.pipeline import pipeline
from qlora.spark_submit import SparkSubmitStep

# Who edits this file decides what runs, where and with which rights. Who triggers the DAG chooses among what qlora/pipeline.py allows.
NAMES = {
    # What a run may read, and its first choices: beginnings of paths, or organisations of a hub.
    "inputs": ["hdfs:///models/", "hdfs:///data/"],
    "model": "hdfs:///models/SmolLM2-135M-Instruct",
    "data": "hdfs:///data/train.jsonl",
    "held_out": "hdfs:///data/held-out.jsonl",
    # A folder a DAG run goes below the first; adapters that passed the gate go below the second.
    "runs": "hdfs:///runs/my-model",
    "published": "hdfs:///published/my-model",
    "most_executors": 16,
    # More options of prepare and evaluate, such as --format=text, and of train and evaluate, such as --method=lora.
    "data_options": [],
    "model_options": [],
    # Where the worker of Airflow has the jar, spark-qlora-spark4.jar for Spark 4, and the file of spark-conf/ for your cluster.
    "jar": "/opt/spark-qlora/spark-qlora.jar",
    "properties_file": "/opt/spark-qlora/spark-conf/local.conf",
}

# The connection says master and deploy mode; see README.md.
dag = pipeline("qlora_spark_submit", NAMES, lambda step: SparkSubmitStep(step=step, names=NAMES, conn_id="qlora_spark"))
