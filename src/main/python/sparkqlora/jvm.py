"""The way to the jar's classes in Spark's JVM."""

from __future__ import annotations

from typing import Any

from py4j.java_gateway import JavaPackage
from pyspark import SparkContext

from sparkqlora.errors import QLoraError


def java_class(name: str) -> Any:
    """Find a class of the JVM by its full name.

    :raises QLoraError: when there is no session, or none that has the jar
    """
    context = SparkContext._active_spark_context
    if context is None or context._jvm is None:
        raise QLoraError("Cannot reach Spark: expected a session, found none. sparkqlora.session() starts one")

    found: Any = context._jvm
    for part in name.split("."):
        found = getattr(found, part)

    if isinstance(found, JavaPackage):
        raise QLoraError(
            f"Cannot find {name} in Spark's JVM: expected spark-qlora.jar in spark.jars when its process started, found"
            f" {context.getConf().get('spark.jars') or 'nothing'}. A jar that is added later is not on its class path"
        )

    return found
