"""What goes wrong in the JVM, as Python exceptions."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from py4j.protocol import Py4JJavaError
from pyspark.errors.exceptions.captured import CapturedException

if TYPE_CHECKING:
    from collections.abc import Iterator


_FAIL_AGAIN = (
    "org.sparkqlora.input.BadInputException",
    "org.sparkqlora.checkpoint.TakenOverException",
    "org.sparkqlora.train.BrokenLossException",
    "org.apache.spark.sql.AnalysisException",
)
"""Classes that say so: what the command line ends with code 64 for, and a table or column that Spark does not find."""


class QLoraError(Exception):
    """Something that was asked for could not be done; the message says what, and why."""


class BadInputError(QLoraError, ValueError):
    """Configuration or input is bad: the same call fails again."""


class ResumableError(QLoraError, RuntimeError):
    """Something outside failed or training was cancelled: the same call goes on from the newest checkpoint."""


@contextmanager
def told_plainly() -> Iterator[None]:
    """Turn an exception of the JVM into one of ours, without Java's and Spark's stacks."""
    try:
        yield
    except Py4JJavaError as thrown:
        error = _of(thrown.java_exception)
    except CapturedException as captured:
        error = _of(captured._origin) if captured._origin is not None else BadInputError(str(captured))
    else:
        return

    raise error from None


def _of(thrown: Any) -> QLoraError:
    """Tell an exception of the JVM by the first of its causes that says whose fault it was."""
    causes = list(_causes(thrown))
    for cause in causes:
        if _name(cause) == "org.sparkqlora.cli.command.CommandFailedException":
            resumable = str(cause.code()) == "RESUMABLE"
            return ResumableError(cause.getMessage()) if resumable else BadInputError(cause.getMessage())

    for cause in causes:
        if _is_any(cause, _FAIL_AGAIN):
            return BadInputError(cause.getMessage())

    told = "\n  because: ".join(_first_line(cause) for cause in causes)
    return QLoraError(told) if any(_is_any(cause, ("java.lang.Error",)) for cause in causes) else ResumableError(told)


def _causes(thrown: Any) -> Iterator[Any]:
    while thrown is not None:
        yield thrown
        thrown = thrown.getCause()


def _name(thrown: Any) -> str:
    return str(thrown.getClass().getName())


def _is_any(thrown: Any, names: tuple[str, ...]) -> bool:
    kind = thrown.getClass()
    while kind is not None:
        if kind.getName() in names:
            return True

        kind = kind.getSuperclass()

    return False


def _first_line(thrown: Any) -> str:
    """Leave out the stack of a task, with which Spark's own message goes on."""
    kind = _name(thrown).rpartition(".")[2]
    message = (thrown.getMessage() or "").strip()
    return f"{kind}: {message.splitlines()[0]}" if message else kind
