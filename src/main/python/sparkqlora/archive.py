"""Classes as Java holds them in memory, which a command maps in place of reading and checking jars."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARIABLE = "SPARK_SUBMIT_OPTS"
_QUIET = "-Xlog:cds*=off"
_WRITER = "demo"  # it trains, which loads most, and runs where 10 seconds and 400 MB more do no harm


def call(line: list[str], jar: Path, command: str | None) -> int:
    """Run a line of ``spark-submit``, return its exit code.

    The first ``demo`` with a Spark, a Java and a jar leaves the archive, 110 MB, in the private cache folder at its
    end; all later commands map it. Java goes without one whose jars have changed.

    :param line: the path of ``spark-submit`` and what follows
    :param command: the command of the jar
    """
    options = os.environ.get(_VARIABLE, "")
    folder = _private_folder()
    if folder is None or "SharedArchiveFile" in options or "ArchiveClassesAtExit" in options:
        return _call(line, options)

    home = Path(line[0]).resolve().parent.parent
    file = folder / f"classes-{_digest(home)}-{_digest(*_facts(home, jar))}.jsa"
    if file.is_file():
        return _call(line, f"{options} -XX:SharedArchiveFile={file} {_QUIET}")

    return _call(line, options) if command != _WRITER else _write(line, options, file)


def _call(line: list[str], options: str) -> int:
    return subprocess.call(line, env=os.environ | {_VARIABLE: options})  # noqa: S603 - what the user typed


def _write(line: list[str], options: str, file: Path) -> int:
    sys.stderr.write(
        f"spark-qlora: The demo ends some 10 s later: it leaves Java's classes in {file.parent}, "
        "and later commands start 2 s sooner\n"
    )
    fresh = file.with_suffix(f".{os.getpid()}.unfinished")
    try:
        code = _call(line, f"{options} -XX:ArchiveClassesAtExit={fresh} {_QUIET}")
        if code == 0:
            _publish(fresh, file)
        return code
    finally:
        fresh.unlink(missing_ok=True)


def _publish(fresh: Path, file: Path) -> None:
    if not fresh.is_file():  # a Java that writes none
        return

    fresh.replace(file)
    spark = file.name.rsplit("-", 1)[0]
    for older in file.parent.glob(f"{spark}-*.jsa"):
        if older != file:
            older.unlink(missing_ok=True)


def _private_folder() -> Path | None:
    """Return the cache folder, made where it is missing; none where others may write: an archive is code."""
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "spark-qlora"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except (OSError, RuntimeError):
        return None

    shared = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return None if shared or status.st_uid != os.getuid() else folder


def _facts(home: Path, jar: Path) -> Iterator[object]:
    """Yield what an archive is of, beside the place of Spark."""
    yield os.environ.get("JAVA_HOME") or os.environ.get("PATH")
    for file in (home / "jars", jar):
        yield file.resolve()
        yield file.stat().st_mtime_ns if file.exists() else None


def _digest(*facts: object) -> str:
    return hashlib.sha256("\n".join(map(str, facts)).encode()).hexdigest()[:12]
