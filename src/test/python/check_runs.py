"""Checks bodies of runs/submit by the classes of Databricks' bundles, which refuse what they do not know. Argument: a list of them, as JSON."""

import json
import sys
from pathlib import Path

from databricks.bundles.jobs import Job

# Airflow's operator sends numbers as text, which the service takes and the classes do not.
NUMBERS = {"num_workers"}
# Of a run alone, not of a job.
OF_RUNS = {"run_name", "idempotency_token"}


def numbers(node):
    if isinstance(node, dict):
        return {key: int(value) if key in NUMBERS else numbers(value) for key, value in node.items()}
    return [numbers(value) for value in node] if isinstance(node, list) else node


def main(file):
    for body in json.loads(Path(file).read_text()):
        job = {key: numbers(value) for key, value in body.items() if key not in OF_RUNS}
        Job.from_dict({"name": body["run_name"], **job, "timeout_seconds": int(body["timeout_seconds"])})


if __name__ == "__main__":
    main(sys.argv[1])
