"""Registers a model by MLflow's own clients of Unity Catalog: register_in_unity_catalog.py SERVER NAME SOURCE RUN FOLDER ALIAS.

The first is that of the open-source server, and the other that of Databricks, which knows aliases.
"""

import contextlib
import os
import sys

from mlflow.exceptions import RestException
from mlflow.store._unity_catalog.registry.uc_native_rest_store import UcNativeModelRegistryStore
from mlflow.store._unity_catalog.registry.uc_oss_rest_store import UnityCatalogOssStore


def main(server, name, source, run, folder, alias):
    store = UnityCatalogOssStore("uc:" + server)
    with contextlib.suppress(RestException):  # it is there already
        store.create_registered_model(name)

    version = store.create_model_version(name, source, run_id=run, local_model_path=folder)
    os.environ.update(DATABRICKS_HOST=server, DATABRICKS_TOKEN="none")
    UcNativeModelRegistryStore("databricks-uc", "databricks-uc").set_registered_model_alias(name, alias, version.version)


if __name__ == "__main__":
    main(*sys.argv[1:])
