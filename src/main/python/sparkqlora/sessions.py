"""A Spark session that has the jar."""

from __future__ import annotations

import os
import sys
import zipfile
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE
from threading import Thread
from typing import IO, TYPE_CHECKING, Any, Union

from pyspark.sql import SparkSession
from pyspark.sql.utils import is_remote

from sparkqlora.errors import QLoraError, told_plainly
from sparkqlora.jars import found
from sparkqlora.jvm import java_class

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyspark import SparkConf

Place = Union[str, "os.PathLike[str]"]

_SETTINGS = "spark-conf/local.conf"
_LOGGING = "org/sparkqlora/options/log4j2.properties"
_EXECUTOR_ENVIRONMENT = "spark.executorEnv."
_SAID_BY_EVERY_START = "WARNING: Using incubator modules"
_REMOTE = "SPARK_REMOTE"
_JAVA_OPTIONS = "spark.driver.extraJavaOptions"


def session(
    jar: Place | None = None, master: str = "local[*]", settings: Mapping[str, str] | None = None
) -> SparkSession:
    """Return the session that is there, or start one on this machine.

    Where ``SPARK_REMOTE`` is set, or the session that is there is one of Spark Connect, it is a session of that server,
    which says when it is asked for work whether it has the jar.

    A platform such as Databricks or EMR Studio has a session before a notebook begins, with settings of its own and its
    way to add a jar; that session is returned, once it is seen to have the jar. Otherwise one starts with the settings
    that the jar brings along (those of ``spark-conf/local.conf``).

    :param jar: path of ``spark-qlora.jar``; by default ``SPARKQLORA_JAR``, else the one that was installed
    :param master: where a new session's tasks run
    :param settings: of Spark, which go before those of the jar
    :raises QLoraError: when the session that is there has not got the jar, there is no jar, or Spark does not start
    """
    if is_remote() or _REMOTE in os.environ:
        return _of_connect()

    present = SparkSession.getActiveSession()
    if present is None:
        present = _start(found() if jar is None else Path(jar), master, dict(settings or {}))

    java_class("org.sparkqlora.api.Commands")
    return present


def _of_connect() -> SparkSession:
    """Return the session of a server: the one that is there, or a new one."""
    present = SparkSession.getActiveSession()
    if present is not None:
        return present

    if _REMOTE not in os.environ:
        raise QLoraError(
            f"Cannot start: expected the address of a Spark Connect server in {_REMOTE}, such as sc://localhost, found"
            " nothing. This PySpark is the client alone"
        )

    return SparkSession.builder.getOrCreate()


def _start(jar: Path, master: str, asked: dict[str, str]) -> SparkSession:
    from pyspark import SparkConf, SparkContext  # noqa: PLC0415 - a client of Spark Connect has none

    known = settings_of(jar)
    environment = {
        name[len(_EXECUTOR_ENVIRONMENT) :]: value
        for name, value in known.items()
        if name.startswith(_EXECUTOR_ENVIRONMENT)
    }
    logging = f"-Dlog4j2.configurationFile=jar:{jar.resolve().as_uri()}!/{_LOGGING}"
    known[_JAVA_OPTIONS] = f"{known[_JAVA_OPTIONS]} {logging}"
    conf = SparkConf().setAppName("sparkqlora").setMaster(master).set("spark.jars", str(jar.resolve()))
    conf.setAll(list({**known, **asked}.items()))
    try:
        with _environment(environment), told_plainly():
            return SparkSession(SparkContext(conf=conf, gateway=SparkContext._gateway or _gateway(conf)))
    except QLoraError as reason:
        raise QLoraError(f"Cannot start Spark on {master}: {reason}") from None


def _gateway(conf: SparkConf) -> Any:
    """Start the JVM, with what it says on stderr passed on to Python's, where a notebook shows it."""
    from pyspark.java_gateway import launch_gateway  # noqa: PLC0415

    gateway = launch_gateway(conf, popen_kwargs={"stderr": PIPE, "text": True})  # type: ignore[no-untyped-call]
    Thread(target=_pass_on, args=[gateway.proc.stderr], name="spark-stderr", daemon=True).start()
    return gateway


def _pass_on(lines: IO[str]) -> None:
    for line in lines:
        if not line.startswith(_SAID_BY_EVERY_START):
            sys.stderr.write(line)


def settings_of(jar: Path) -> dict[str, str]:
    """Read the settings that a jar brings along, as ``spark-submit --properties-file`` would.

    :raises QLoraError: when the path is not that of the jar
    """
    try:
        with zipfile.ZipFile(jar) as archive:
            text = archive.read(_SETTINGS).decode()
    except (OSError, KeyError, zipfile.BadZipFile) as reason:
        raise QLoraError(f"Cannot start Spark with {jar}: expected spark-qlora.jar, found {reason}") from None

    lines = (line.split(None, 1) for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return {name: value.strip() for name, value in lines}


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables for the JVM that starts meanwhile; in local mode it computes as executors do."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update({name: value for name, value in variables.items() if before[name] is None})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
