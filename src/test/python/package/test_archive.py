from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sparkqlora.archive import call

if TYPE_CHECKING:
    from pathlib import Path

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
    return tmp_path / "spark-qlora"


@pytest.fixture
def spark_submit(tmp_path: Path) -> Path:
    program = tmp_path / "spark" / "bin" / "spark-submit"
    program.parent.mkdir(parents=True)
    program.write_text(SPARK_SUBMIT)
    program.chmod(0o700)
    return program


def options_of(spark_submit: Path, command: str, code: int = 0, options: str = "") -> str:
    assert call([str(spark_submit), str(code)], command, options) == code
    return spark_submit.with_name("options").read_text().splitlines()[-1]


def test_a_demo_leaves_an_archive_that_later_commands_map(cache: Path, spark_submit: Path) -> None:
    assert options_of(spark_submit, "train") == ""
    assert "-XX:ArchiveClassesAtExit=" in options_of(spark_submit, "demo")

    (archive,) = cache.iterdir()
    assert archive.suffix == ".jsa"
    for command in ("plan", "train"):
        assert f"-XX:SharedArchiveFile={archive} " in options_of(spark_submit, command)


def test_the_next_demo_writes_it_again(cache: Path, spark_submit: Path) -> None:
    options_of(spark_submit, "demo")
    (archive,) = cache.iterdir()
    archive.write_text("of an older Java")

    options_of(spark_submit, "demo")

    assert archive.read_text() == "classes\n"
    assert list(cache.iterdir()) == [archive]


def test_a_demo_that_fails_leaves_none(cache: Path, spark_submit: Path) -> None:
    options_of(spark_submit, "demo", code=75)

    assert list(cache.iterdir()) == []


def test_what_the_user_asks_of_java_stays(cache: Path, spark_submit: Path) -> None:
    mine = "-XX:SharedArchiveFile=mine.jsa"
    assert options_of(spark_submit, "demo", options=mine) == mine

    assert options_of(spark_submit, "demo", options="-Dsome=thing").startswith("-Dsome=thing -XX:ArchiveClassesAtExit=")
    assert len(list(cache.iterdir())) == 1


def test_a_folder_that_others_can_write_is_not_used(cache: Path, spark_submit: Path) -> None:
    cache.mkdir()
    cache.chmod(0o770)

    assert options_of(spark_submit, "demo") == ""
    assert list(cache.iterdir()) == []
