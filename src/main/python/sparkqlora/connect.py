"""The way to the stages of a server of Spark Connect.

Imported where the session is one of it: Spark 3.5 lacks what this needs.
"""

from __future__ import annotations

import os
from typing import Any, cast

from pyspark.errors.exceptions.base import AnalysisException, IllegalArgumentException
from pyspark.errors.exceptions.connect import SparkConnectException, SparkConnectGrpcException
from pyspark.ml.connect.readwrite import RemoteMLReader, RemoteMLWriter
from pyspark.sql.connect.session import SparkSession

from sparkqlora.errors import BAD_INPUT, BadInputError, Cause, told_plainly

_JAVA_PACKAGE = "org.sparkqlora.ml"
_OURS = "org.sparkqlora."
_FRAME = "\tat "
_CAUSED_BY = "Caused by: "
_REFLECTED = "(java.lang.reflect.InvocationTargetException)"

__all__ = ["SparkConnectException", "StageReader", "StageWriter", "causes", "use_session_of"]


class StageReader(RemoteMLReader[Any]):  # type: ignore[misc]
    """Lets the server read what the Java class of the same stage wrote."""

    def __init__(self, stage: type[Any]) -> None:
        """Read a stage, whose Java class Spark takes from the name of a module."""
        super().__init__(cast("Any", type(stage.__name__, (stage,), {"__module__": _JAVA_PACKAGE})))

    def load(self, path: str) -> Any:
        """Return the stage."""
        with told_plainly():
            try:
                return super().load(os.fspath(path))
            except SparkConnectException as thrown:
                if _REFLECTED not in str(thrown):
                    raise

        raise BadInputError(
            f"Cannot load {self._clazz.__name__} from {path}: expected a folder that save wrote; a server of Spark 4.0"
            " tells its log alone what it found"
        )


class StageWriter(RemoteMLWriter):  # type: ignore[misc]
    """Lets the server write what the Java class of the same stage reads."""

    def save(self, path: str) -> None:
        """Store the stage."""
        with told_plainly():
            super().save(os.fspath(path))


def use_session_of(dataset: Any) -> None:
    """Make a table's session that of this thread if it has none: in Spark 4.0 those of ``CrossValidator`` have not."""
    SparkSession._set_default_and_active_session(dataset.sparkSession)


def causes(thrown: SparkConnectException) -> list[Cause]:
    """Read what a server says of a failure: the classes of its exceptions stand in the text of their stacks alone."""
    if not isinstance(thrown, SparkConnectGrpcException):
        return [Cause((type(thrown).__name__,), str(thrown))]

    told: Any = thrown
    first, *others = _without_frames(str(told._stacktrace or type(thrown).__name__)).split("\n" + _CAUSED_BY)
    root = Cause((first, *_known_kinds(thrown, first)), str(told._message))
    return [root, *(Cause((kind,), message) for kind, _, message in (each.partition(": ") for each in others))]


def _known_kinds(thrown: SparkConnectGrpcException, name: str) -> tuple[str, ...]:
    is_bad = isinstance(thrown, AnalysisException) or (
        isinstance(thrown, IllegalArgumentException) and name.startswith(_OURS)
    )
    return (BAD_INPUT,) if is_bad else ()


def _without_frames(stack: str) -> str:
    return "\n".join(line for line in stack.splitlines() if not line.startswith(_FRAME))
