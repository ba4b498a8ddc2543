#!/usr/bin/env bash
# Runs on every node before Spark starts. Volumes are mounted by then for a cluster of one user. The jar, of whichever line of Spark, comes under one
# name, so that it is there once.
set -euo pipefail

cp "$SPARK_QLORA_JAR" /databricks/jars/spark-qlora.jar
