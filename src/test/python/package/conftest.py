"""A real session on this machine, with the jar and the wheel that the build made.

Where ``SPARK_REMOTE`` is set it is one of that server of Spark Connect, which the tests of stages run with as well.
"""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sparkqlora
from sparkqlora import QLoraEstimator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import DataFrame, SparkSession

_OF_CONNECT = ["test_connect.py"]
_OF_ONE_PROCESS = ["test_commands.py", "test_jvm.py", "test_session.py", "test_weights.py"]

collect_ignore = _OF_ONE_PROCESS if "SPARK_REMOTE" in os.environ else _OF_CONNECT


@pytest.fixture(autouse=True)
def _collected_between_tests() -> Iterator[None]:
    """Collect cycles after a test only: PySpark calls the server in ``__del__``, for ever if it finds gRPC locked."""
    gc.disable()
    yield
    gc.enable()
    gc.collect()


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    session = sparkqlora.session(os.environ.get("SPARKQLORA_JAR"), master="local[2]")
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


@pytest.fixture
def estimator(model: Path, tmp_path: Path) -> QLoraEstimator:
    return QLoraEstimator(
        model=model,
        output=tmp_path / "runs",
        precision="fp32",
        sequenceLength=64,
        batchSize=4,
        maxSteps=2,
        rank=4,
        learningRate=1e-2,
        maxNewTokens=12,
        targetModules="q_proj,v_proj",
    )
