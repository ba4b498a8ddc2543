"""What goes wrong in Spark's JVM, as Python exceptions."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from pyspark.sql.utils import is_remote

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BAD_INPUT = "org.sparkqlora.input.BadInputException"
"""The class of most that the command line ends with code 64 for."""

_FAIL_AGAIN = (
    BAD_INPUT,
    "org.sparkqlora.checkpoint.TakenOverException",
    "org.sparkqlora.train.BrokenLossException",
    "org.apache.spark.sql.AnalysisException",
)
"""Classes that say so: what the command line ends with code 64 for, and a table or column that Spark does not find."""

_NOT_FOUND = "org.apache.spark.sql.connect.ml.MlUnsupportedException"


class QLoraError(Exception):
    """Something that was asked for could not be done; the message says what, and why."""


class BadInputError(QLoraError, ValueError):
    """Configuration or input is bad: the same call fails again."""


class ResumableError(QLoraError, RuntimeError):
    """Something outside failed or training was cancelled: the same call goes on from the newest checkpoint."""


class Cause(NamedTuple):
    """An exception of the JVM.

    :param kinds: its class, and those above it that are known
    :param message: its own
    """

    kinds: tuple[str, ...]
    message: str

    def is_any(self, names: Sequence[str]) -> bool:
        """Tell whether it is of one of these classes."""
        return any(kind in names for kind in self.kinds)

    def is_error(self) -> bool:
        """Tell whether nothing outside is to blame."""
        return self.is_any(("java.lang.Error",)) or self.kinds[0].endswith("Error")

    def first_line(self) -> str:
        """Leave out the stack of a task, with which Spark's own message goes on."""
        kind = self.kinds[0].rpartition(".")[2]
        message = self.message.strip()
        return f"{kind}: {message.splitlines()[0]}" if message else kind


@contextmanager
def told_plainly() -> Iterator[None]:
    """Turn an exception of the JVM into one of ours, without Java's and Spark's stacks."""
    try:
        yield
    except Exception as thrown:
        error = _of(thrown)
        if error is None:
            raise
    else:
        return

    raise error from None


def _of(thrown: Exception) -> QLoraError | None:
    """Return ours for what the JVM threw; nothing for what Python did."""
    if is_remote():
        from sparkqlora.connect import SparkConnectException, causes  # noqa: PLC0415 - Spark 3.5 lacks what it needs

        return _first(causes(thrown)) if isinstance(thrown, SparkConnectException) else None

    from py4j.protocol import Py4JJavaError  # noqa: PLC0415 - a client of Spark Connect has none
    from pyspark.errors.exceptions.captured import CapturedException  # noqa: PLC0415

    if isinstance(thrown, Py4JJavaError):
        return _of_java(thrown.java_exception)

    if isinstance(thrown, CapturedException):
        return BadInputError(str(thrown)) if thrown._origin is None else _of_java(thrown._origin)

    return None


def _of_java(thrown: Any) -> QLoraError:
    return _first([Cause(tuple(_kinds(cause)), str(cause.getMessage() or "")) for cause in _causes(thrown)])


def _first(causes: Sequence[Cause]) -> QLoraError:
    """Tell an exception of the JVM by the first of its causes that says whose fault it was."""
    for cause in causes:
        if cause.is_any(_FAIL_AGAIN):
            return BadInputError(cause.message)

        if cause.is_any((_NOT_FOUND,)):
            return BadInputError(
                f"Cannot work through Spark Connect: expected spark-qlora.jar in spark.jars of the server, found that"
                f" it says: {cause.message}"
            )

    told = "\n  because: ".join(cause.first_line() for cause in causes)
    return QLoraError(told) if any(cause.is_error() for cause in causes) else ResumableError(told)


def _causes(thrown: Any) -> Iterator[Any]:
    while thrown is not None:
        yield thrown
        thrown = thrown.getCause()


def _kinds(thrown: Any) -> Iterator[str]:
    kind = thrown.getClass()
    while kind is not None:
        yield str(kind.getName())
        kind = kind.getSuperclass()
