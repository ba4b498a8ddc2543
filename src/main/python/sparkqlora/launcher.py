"""The command ``spark-qlora``: ``spark-submit`` with the jar and the settings that it brings along."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from sparkqlora.archive import OPTIONS_VARIABLE, call
from sparkqlora.errors import QLoraError
from sparkqlora.jars import found
from sparkqlora.sessions import settings_of

_BAD_INPUT = 64
_FLAGS = frozenset({"--supervise", "--verbose", "-v"})
_OURS = frozenset({"--help", "-h", "--version", "-V"})

# They compute little, or little in Java: there its second compiler costs more than it saves. Not those that may train.
_OF_FIRST_COMPILER = _OURS | {"demo", "prepare", "inspect", "gate"}
_COMPILER = "-XX:TieredStopAtLevel="


def main() -> None:
    """Run a command of the jar; the options before it are those of ``spark-submit``."""
    try:
        sys.exit(run(sys.argv[1:]))
    except QLoraError as reason:
        sys.stderr.write(f"spark-qlora: {reason}\n")
        sys.exit(_BAD_INPUT)


def run(arguments: list[str]) -> int:
    """Run ``spark-submit`` and return its exit code.

    :param arguments: options of ``spark-submit``, then a command of ``spark-qlora`` with its own
    :raises QLoraError: when there is no jar or no ``spark-submit``
    """
    of_spark, of_command = _split(arguments)
    program, jar = _program(), found()
    command = of_command[0] if of_command else None
    options = _java_options(command)
    if "--properties-file" in of_spark:
        return call([program, *of_spark, str(jar), *of_command], command, options)

    with tempfile.NamedTemporaryFile("w", prefix="spark-qlora-", suffix=".conf") as settings:
        settings.writelines(f"{name} {value}\n" for name, value in settings_of(jar).items())
        settings.flush()
        return call([program, "--properties-file", settings.name, *of_spark, str(jar), *of_command], command, options)


def _java_options(command: str | None) -> str:
    options = os.environ.get(OPTIONS_VARIABLE, "")
    quick = command in _OF_FIRST_COMPILER and _COMPILER not in options
    return f"{options} {_COMPILER}1".strip() if quick else options


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Tell the options of ``spark-submit``, each with its value, from what follows."""
    at = 0
    while at < len(arguments) and arguments[at].startswith("-") and arguments[at] not in _OURS:
        alone = arguments[at] in _FLAGS or "=" in arguments[at]
        at += 1 if alone else 2

    return arguments[:at], arguments[at:]


def _program() -> str:
    home = os.environ.get("SPARK_HOME")
    found = shutil.which("spark-submit", path=None if home is None else str(Path(home, "bin")))
    if found is None:
        raise QLoraError(
            "Cannot start: expected spark-submit in SPARK_HOME or on the PATH, found none. "
            "pip install 'sparkqlora[spark]' brings one"
        )

    return found
