"""The way to the jar's classes in Spark's JVM."""

from __future__ import annotations

from typing import Any

from pyspark.sql.utils import is_remote

from sparkqlora.errors import QLoraError


def java_class(name: str) -> Any:
    """Find a class of the JVM by its full name.

    :raises QLoraError: when there is no session, or none that has the jar
    """
    if is_remote():
        raise QLoraError(
            "Cannot reach Spark's JVM: expected a session of this process, found one of Spark Connect, which has the"
            " stages and metrics. spark-submit runs the commands"
        )

    from py4j.java_gateway import JavaPackage  # noqa: PLC0415 - a client of Spark Connect has none
    from pyspark import SparkContext  # noqa: PLC0415

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
