"""Asks each DAG of a folder for what nobody who triggers it may choose. Prints what is taken; fails if anything is."""

import sys

from airflow.dag_processing.dagbag import BundleDagBag
from airflow.sdk.exceptions import AirflowException

CHOICES = {"model", "data", "held_out", "sequence_length", "executors", "max_loss", "train_options"}
PLACES = ("model", "data", "held_out")
REFUSED = (
    *[(place, "s3a://evil/x") for place in PLACES],
    *[(place, "/etc/passwd") for place in PLACES],
    ("train_options", "--epochs 1"),
    ("train_options", ["--output=/tmp/x"]),
    ("train_options", ["--chat-template=/etc/passwd"]),
    ("train_options", ["--epochs=1 --output=/tmp/x"]),
    ("train_options", ["--epochs=/tmp/x"]),
    ("train_options", ["train"]),
    ("sequence_length", 1 << 40),
    ("executors", 1000),
    ("max_loss", "1' --evaluation='x"),
)


def refuses(dag, name, value):
    try:
        dag.params.get_param(name).resolve(value)
    except (AirflowException, ValueError):
        return True
    return False


def main(folder):
    taken = []
    for dag in BundleDagBag(dag_folder=folder, bundle_path=folder).dags.values():
        taken += [f"{dag.dag_id} {name}" for name in set(dag.params) ^ CHOICES]
        asked = list(REFUSED)
        for place in PLACES:
            allowed = dag.params[place]
            asked += [(place, f"{allowed}/../../x"), (place, f"{allowed}' --output '/tmp/x"), (place, f"{allowed},/etc/passwd")]
        taken += [f"{dag.dag_id} {name}={value}" for name, value in asked if not refuses(dag, name, value)]
        taken += [f"{dag.dag_id} refuses {place}" for place in PLACES if refuses(dag, place, dag.params[place] + "-2/x.jsonl")]
    print("\n".join(taken))
    sys.exit(bool(taken))


if __name__ == "__main__":
    main(sys.argv[1])
