"""EMR and S3 as moto serves them, where the steps of clusters really run: each by a process of this machine, in turn.

Arguments: a folder whose files go to s3://bucket, and the cluster as RunJobFlow takes it. Prints a line of JSON once it is ready, and
for each line of its input another: the jobs that EMR Serverless was given, which moto calls done without doing anything.
"""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import boto3
from moto.core import DEFAULT_ACCOUNT_ID
from moto.emr.models import emr_backends
from moto.emrserverless.models import emrserverless_backends
from moto.server import ThreadedMotoServer

REGION = "us-east-1"
ENDED = {"COMPLETED", "FAILED"}


def client(service, endpoint):
    return boto3.client(
        service, region_name=REGION, endpoint_url=endpoint, aws_access_key_id="test", aws_secret_access_key="test"
    )


def upload(folder, endpoint):
    s3 = client("s3", endpoint)
    s3.create_bucket(Bucket="bucket")
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            s3.upload_file(str(file), "bucket", str(file.relative_to(folder)))


def run(step):
    """What command-runner.jar does with its arguments. The log is this process's own."""
    step.state = "RUNNING"
    print(f"step: {step.args}", file=sys.stderr, flush=True)
    code = subprocess.run(step.args, stdin=subprocess.DEVNULL, stdout=sys.stderr, stderr=sys.stderr).returncode
    step.state = "COMPLETED" if code == 0 else "FAILED"


def run_steps():
    while True:
        for cluster in list(emr_backends[DEFAULT_ACCOUNT_ID][REGION].clusters.values()):
            for step in list(cluster.steps):
                if step.state not in ENDED:
                    run(step)
        time.sleep(0.1)


def serverless_jobs():
    jobs = emrserverless_backends[DEFAULT_ACCOUNT_ID][REGION].job_runs
    return [job.to_dict("get") for runs in jobs.values() for job in runs]


def main(folder, cluster_json):
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, bound = server.get_host_and_port()
    endpoint = f"http://{host}:{bound}"
    upload(Path(folder), endpoint)
    serverless = client("emr-serverless", endpoint)
    application = serverless.create_application(name="test", releaseLabel="emr-7.13.0", type="SPARK")["applicationId"]
    cluster = client("emr", endpoint).run_job_flow(**json.loads(Path(cluster_json).read_text()))["JobFlowId"]
    threading.Thread(target=run_steps, daemon=True).start()
    print(json.dumps({"endpoint": endpoint, "cluster": cluster, "application": application}), flush=True)
    for _ in sys.stdin:
        print(json.dumps(serverless_jobs()), flush=True)

    server.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
