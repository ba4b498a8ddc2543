from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sparkqlora.archive import call

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = "SPARK_SUBMIT_OPTS"

# As Java does at its end.
SPARK_SUBMIT = """#!/bin/sh
echo "$SPARK_SUBMIT_OPTS" >> "$(dirname "$0")/options"
for option in $SPARK_SUBMIT_OPTS; do
  case $option in -XX:ArchiveClassesAtExit=*) echo classes > "${option#*=}" ;; esac
done
exit "$1"
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(OPTIONS, raising=False)
    return tmp_path / "spark-qlora"


@pytest.fixture
def spark_submit(tmp_path: Path) -> Path:
    program = tmp_path / "spark" / "bin" / "spark-submit"
    program.parent.mkdir(parents=True)
    program.write_text(SPARK_SUBMIT)
    program.chmod(0o700)
    return program


@pytest.fixture
def jar(tmp_path: Path) -> Path:
    (tmp_path / "some.jar").touch()
    return tmp_path / "some.jar"


def options_of(spark_submit: Path, jar: Path, command: str, code: int = 0) -> str:
    assert call([str(spark_submit), str(code)], jar, command) == code
    return spark_submit.with_name("options").read_text().splitlines()[-1]


def test_the_first_demo_leaves_an_archive_that_later_commands_map(cache: Path, spark_submit: Path, jar: Path) -> None:
    assert options_of(spark_submit, jar, "train") == ""
    assert "-XX:ArchiveClassesAtExit=" in options_of(spark_submit, jar, "demo")

    (archive,) = cache.iterdir()
    assert archive.suffix == ".jsa"
    for command in ("demo", "train"):
        assert f"-XX:SharedArchiveFile={archive} " in options_of(spark_submit, jar, command)


def test_the_archive_of_another_jar_takes_the_place_of_the_last(cache: Path, spark_submit: Path, jar: Path) -> None:
    options_of(spark_submit, jar, "demo")
    (before,) = cache.iterdir()
    (cache / "classes-of-somebody.jsa").touch()
    other = jar.with_name("other.jar")
    other.touch()

    options_of(spark_submit, other, "demo")

    left = {file.name for file in cache.iterdir()}
    assert len(left) == 2
    assert before.name not in left
    assert "classes-of-somebody.jsa" in left


def test_a_demo_that_fails_leaves_none(cache: Path, spark_submit: Path, jar: Path) -> None:
    options_of(spark_submit, jar, "demo", code=75)

    assert list(cache.iterdir()) == []


def test_what_the_user_asks_of_java_stays(
    cache: Path, spark_submit: Path, jar: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(OPTIONS, "-XX:SharedArchiveFile=mine.jsa")
    assert options_of(spark_submit, jar, "demo") == "-XX:SharedArchiveFile=mine.jsa"

    monkeypatch.setenv(OPTIONS, "-Dsome=thing")
    assert options_of(spark_submit, jar, "demo").startswith("-Dsome=thing -XX:ArchiveClassesAtExit=")
    assert len(list(cache.iterdir())) == 1


def test_a_folder_that_others_can_write_is_not_used(cache: Path, spark_submit: Path, jar: Path) -> None:
    cache.mkdir()
    cache.chmod(0o770)

    assert options_of(spark_submit, jar, "demo") == ""
    assert list(cache.iterdir()) == []
