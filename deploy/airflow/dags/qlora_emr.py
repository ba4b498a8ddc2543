"""A DAG of Airflow (which looks for these two words): fine-tunes with QLoRA on a cluster of EMR, made as deploy/emr says. Fill in the names below."""

from qlora.emr import EmrStep
from qlora.pipeline import pipeline

# Who edits this file decides what runs, where and with which rights. Who triggers the DAG chooses among what qlora/pipeline.py allows.
NAMES = {
    # What a run may read, and its first choices: beginnings of paths, or organisations of a hub.
    "inputs": ["s3://my-bucket/models/", "s3://my-bucket/data/"],
    "model": "s3://my-bucket/models/SmolLM2-135M-Instruct",
    "data": "s3://my-bucket/data/train.jsonl",
    "held_out": "s3://my-bucket/data/held-out.jsonl",
    # A folder a DAG run goes below the first; adapters that passed the gate go below the second.
    "runs": "s3://my-bucket/runs/my-model",
    "published": "s3://my-bucket/published/my-model",
    "most_executors": 16,
    # More options of prepare and evaluate, such as --format=text, and of train and evaluate, such as --method=lora.
    "data_options": [],
    "model_options": [],
    "cluster_id": "j-0000000000000",
    # Where the cluster finds it: spark-qlora.jar on emr-7, spark-qlora-spark4.jar on emr-spark-8.
    "jar": "s3://my-bucket/spark-qlora/spark-qlora.jar",
    # cluster: the driver survives the end of the step's client, and large States do not fill the primary node. Or client.
    "deploy_mode": "cluster",
    # Steps take minutes to days; a question a minute is far below what EMR allows.
    "poll_seconds": 60,
}

dag = pipeline("qlora_emr", NAMES, lambda step: EmrStep(step=step, names=NAMES, aws_conn_id="aws_default"))
