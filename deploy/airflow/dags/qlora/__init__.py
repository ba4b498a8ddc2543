"""The pipeline that the DAGs beside this folder share."""
