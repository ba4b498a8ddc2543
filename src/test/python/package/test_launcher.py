from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sparkqlora.launcher import run

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = "SPARK_SUBMIT_OPTS"
FIRST_COMPILER = "-XX:TieredStopAtLevel=1"


@pytest.fixture
def spark_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin" / "spark-submit"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "${OPTIONS}" > {tmp_path / "options"}\n')
    program.chmod(0o700)
    jar = tmp_path / "spark-qlora.jar"
    jar.touch()
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))
    monkeypatch.setenv("SPARKQLORA_JAR", str(jar))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(OPTIONS, raising=False)
    return tmp_path


def options_of(spark_home: Path, *command: str) -> str:
    assert run(["--properties-file", "spark.conf", *command]) == 0
    return (spark_home / "options").read_text().strip()


def test_commands_that_compute_little_go_without_the_second_compiler(spark_home: Path) -> None:
    for command in ("prepare", "inspect", "gate", "--help"):
        assert options_of(spark_home, command) == FIRST_COMPILER

    assert options_of(spark_home, "demo").startswith(FIRST_COMPILER)
    for command in ("train", "compare", "plan", "generate", "quantize"):
        assert FIRST_COMPILER not in options_of(spark_home, command)


def test_the_compiler_that_the_user_asks_for_stays(spark_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OPTIONS, "-XX:TieredStopAtLevel=4")
    assert options_of(spark_home, "prepare") == "-XX:TieredStopAtLevel=4"

    monkeypatch.setenv(OPTIONS, "-Dsome=thing")
    assert options_of(spark_home, "prepare") == f"-Dsome=thing {FIRST_COMPILER}"
