"""Loads the DAGs of a folder as Airflow's own processor does. Prints each with its tasks in order; fails if one does not load."""

import sys

from airflow.dag_processing.dagbag import BundleDagBag


def chained(dag):
    """Task ids in order: each but the last has one that follows it."""
    (task,) = dag.roots
    while task.downstream_list:
        yield task.task_id
        (task,) = task.downstream_list
    yield task.task_id


def main(folder):
    bag = BundleDagBag(dag_folder=folder, bundle_path=folder)
    for file, error in bag.import_errors.items():
        print(file, error)
    for dag in bag.dags.values():
        print(dag.dag_id, *chained(dag))
    sys.exit(bool(bag.import_errors))


if __name__ == "__main__":
    main(sys.argv[1])
