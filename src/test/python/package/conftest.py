"""A real session on this machine, with the jar and the wheel that the build made."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sparkqlora

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import DataFrame, SparkSession


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    session = sparkqlora.session(os.environ["SPARKQLORA_JAR"], master="local[2]")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def demo() -> Path:
    """What the command ``demo`` left: a tiny model that has learned a language, an adapter for it, and data."""
    return Path(os.environ["SPARKQLORA_DEMO"])


@pytest.fixture(scope="session")
def model(demo: Path) -> Path:
    return demo / "base" / "model"


@pytest.fixture(scope="session")
def rows(spark: SparkSession, demo: Path) -> DataFrame:
    return spark.read.json(str(demo / "pirate.jsonl")).limit(24)


@pytest.fixture(scope="session")
def questions(spark: SparkSession) -> DataFrame:
    asked = ["What does the owl say?", "Where does the wolf live?", "What does the seal eat?"]
    return spark.createDataFrame([(question,) for question in asked], ["prompt"])
