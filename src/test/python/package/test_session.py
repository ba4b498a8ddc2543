"""What Spark itself has runs in the package's session."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.ml import Pipeline
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.clustering import KMeans
from pyspark.ml.feature import StringIndexer, VectorAssembler
from sparkqlora import QLoraEstimator

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession


def test_our_estimator_stands_between_stages_of_spark(rows: DataFrame, model: Path, tmp_path: Path) -> None:
    labelled = rows.selectExpr(
        "*", "if(size(messages) > 2, 'long', 'short') kind", "length(messages[0].content) letters"
    )
    ours = QLoraEstimator(model=model, output=tmp_path, precision="fp32", sequenceLength=64, maxSteps=1, maxNewTokens=4)
    features = VectorAssembler(inputCols=["letters"], outputCol="features")

    stages: list[Any] = [
        StringIndexer(inputCol="kind", outputCol="label"),
        ours,
        features,
        LogisticRegression(maxIter=2),
    ]
    made = Pipeline(stages=stages).fit(labelled).transform(labelled).select("answer", "prediction").first()

    assert made is not None
    assert isinstance(made.answer, str)
    assert made.prediction == 0


def test_rows_are_clustered(spark: SparkSession) -> None:
    points = VectorAssembler(inputCols=["id"], outputCol="features").transform(spark.range(9))

    assert len(KMeans(k=2, seed=1).fit(points).clusterCenters()) == 2


@pytest.mark.parametrize("sink", ["parquet", "console", "memory"])
def test_a_stream_ends_in(sink: str, spark: SparkSession, tmp_path: Path) -> None:
    spark.range(5).write.parquet(str(tmp_path / "in"))
    stream = spark.readStream.schema("id long").parquet(str(tmp_path / "in"))
    writer = stream.writeStream.format(sink).option("checkpointLocation", str(tmp_path / "progress")).queryName("kept")

    writer.option("path", str(tmp_path / "out")).trigger(availableNow=True).start().awaitTermination()

    if sink != "console":
        stored = spark.table("kept") if sink == "memory" else spark.read.parquet(str(tmp_path / "out"))
        assert stored.count() == 5


def test_a_place_that_spark_does_not_know_is_told_in_a_line() -> None:
    """In another process, which has no session yet."""
    started = subprocess.run(
        [sys.executable, "-c", "import sparkqlora; sparkqlora.session(master='local[2')"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert started.returncode == 1
    assert "Cannot start Spark on local[2: SparkException:" in started.stderr.splitlines()[-1]
    assert "py4j" not in started.stderr
