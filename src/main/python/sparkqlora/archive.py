"""Classes as Java holds them in memory, which a command maps in place of reading and checking jars."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

OPTIONS_VARIABLE = "SPARK_SUBMIT_OPTS"
_QUIET = "-Xlog:cds*=off"
_WRITER = "demo"  # it trains, which loads most, and runs where 10 seconds and 400 MB more do no harm


def call(line: list[str], command: str | None, options: str) -> int:
    """Run a line of ``spark-submit``, return its exit code.

    ``demo`` leaves the archive of a Spark and a Java, 110 MB, in the private cache folder at its end; all later
    commands map it. Java goes without one whose jars have changed, until the next ``demo``.

    :param line: the path of ``spark-submit`` and what follows
    :param command: the command of the jar
    :param options: of Java
    """
    folder = _private_folder()
    if folder is None or "SharedArchiveFile" in options or "ArchiveClassesAtExit" in options:
        return _call(line, options)

    java = os.environ.get("JAVA_HOME") or shutil.which("java")
    of = hashlib.sha256(f"{Path(line[0]).resolve()}\n{java}".encode()).hexdigest()[:12]
    file = folder / f"classes-{of}.jsa"
    if command == _WRITER:
        return _write(line, options, file)

    return _call(line, f"{options} -XX:SharedArchiveFile={file} {_QUIET}" if file.is_file() else options)


def _call(line: list[str], options: str) -> int:
    return subprocess.call(line, env=os.environ | {OPTIONS_VARIABLE: options})  # noqa: S603 - what the user typed


def _write(line: list[str], options: str, file: Path) -> int:
    sys.stderr.write(
        f"spark-qlora: The demo ends some 10 s later: it leaves Java's classes in {file.parent}, "
        "and later commands start 2 s sooner\n"
    )
    fresh = file.with_suffix(f".{os.getpid()}.unfinished")
    try:
        code = _call(line, f"{options} -XX:ArchiveClassesAtExit={fresh} {_QUIET}")
        if code == 0 and fresh.is_file():
            fresh.replace(file)
        return code
    finally:
        fresh.unlink(missing_ok=True)


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
