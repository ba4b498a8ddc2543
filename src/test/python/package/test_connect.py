"""What is particular to Spark Connect, on a server that gives up a client that is gone after seconds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

import pytest
import sparkqlora
from pyspark.sql.utils import is_remote
from sparkqlora import BadInputError, QLoraError, QLoraEstimator, QLoraModel, ResumableError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

WEIGHTS = "adapter_model.safetensors"
LONG = 24
"""Steps of a run that is still busy when a test has seen it begin."""

CLIENT = """
import json, sys, sparkqlora
rows = sparkqlora.session().read.json(sys.argv[2]).limit(24)
sparkqlora.QLoraEstimator(**json.loads(sys.argv[1])).fit(rows)
"""
"""A process that fits as the tests do."""


@pytest.fixture
def long(estimator: QLoraEstimator, tmp_path: Path) -> QLoraEstimator:
    return estimator.copy({estimator.output: str(tmp_path / "long"), estimator.maxSteps: LONG})


def weights(model: QLoraModel) -> bytes:
    assert model.adapter
    return Path(model.adapter, WEIGHTS).read_bytes()


def steps_taken(estimator: QLoraEstimator) -> int:
    """Count the steps of the only run."""
    found = list(Path(estimator.getOutput()).glob("run-*/metrics.jsonl"))
    return len(found[0].read_text().splitlines()) if found else 0


def checkpoints(estimator: QLoraEstimator) -> list[int]:
    """Return the steps of those that the only run has."""
    found = Path(estimator.getOutput()).glob("run-*/checkpoints/step-*.json")
    return sorted(int(path.name.split("-")[1]) for path in found)


def wait_until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not reached():
        assert time.monotonic() < deadline, "expected it within two minutes"
        time.sleep(0.05)


def wait_until_still(estimator: QLoraEstimator) -> None:
    deadline = time.monotonic() + 300
    seen = -1
    while seen != (seen := steps_taken(estimator)):
        assert time.monotonic() < deadline, "expected the fit to end within five minutes"
        time.sleep(5)


def whole(estimator: QLoraEstimator, rows: DataFrame, folder: Path) -> bytes:
    """Return the weights of the same fit without interruption."""
    return weights(estimator.copy({estimator.output: str(folder / "whole")}).fit(rows))


def test_the_session_is_one_of_the_server(spark: SparkSession) -> None:
    assert is_remote()
    assert sparkqlora.session() is spark


def test_a_fit_gives_the_bytes_of_the_command(estimator: QLoraEstimator, spark: SparkSession, demo: Path) -> None:
    model = estimator.fit(spark.read.json(str(demo / "pirate.jsonl")))

    assert weights(model) == Path(os.environ["SPARKQLORA_TRAINED"], WEIGHTS).read_bytes()


def test_all_weights_train_and_answer(estimator: QLoraEstimator, rows: DataFrame, questions: DataFrame) -> None:
    model = estimator.copy({estimator.method: "full"}).fit(rows)

    assert model.adapter is None
    assert model.base == f"{model.summary.folder}/model"
    assert model.getModel() == model.base
    assert len(model.transform(questions).select("answer").collect()) == questions.count()


def test_lists_and_numbers_reach_the_server(estimator: QLoraEstimator, rows: DataFrame, tmp_path: Path) -> None:
    values: dict[str, Any] = {"layersToTransform": ["0"], "alphaPattern": ["q_proj=4"], "seed": 7, "useRslora": True}
    fitted = estimator.copy({estimator.getParam(name): value for name, value in values.items()}).fit(rows)
    fitted.save(str(tmp_path / "model"))

    assert fitted.summary.steps == 2
    assert QLoraModel.load(str(tmp_path / "model")).extractParamMap() == fitted.extractParamMap()


def test_a_word_that_no_option_knows_is_refused_before_work(estimator: QLoraEstimator, rows: DataFrame) -> None:
    with pytest.raises(BadInputError, match="Unsupported method 'magic': expected qlora, lora or full"):
        estimator.setMethod("magic").fit(rows)

    assert not Path(estimator.getOutput()).exists()


def test_a_server_without_the_jar_is_told_apart(estimator: QLoraEstimator, rows: DataFrame) -> None:
    estimator._java_obj = "org.sparkqlora.ml.Unknown"

    with pytest.raises(BadInputError, match=r"expected spark-qlora\.jar in spark\.jars of the server"):
        estimator.fit(rows)


def test_commands_say_that_they_want_another_session() -> None:
    with pytest.raises(QLoraError, match="expected a session of this process, found one of Spark Connect"):
        sparkqlora.plan(parameters="7B")


def test_progress_reaches_the_client(estimator: QLoraEstimator, rows: DataFrame, spark: SparkSession) -> None:
    done: list[int] = []

    def seen(stages: Any, **_: Any) -> None:
        done.append(sum(stage.num_completed_tasks for stage in stages or []))

    client: Any = spark
    client.registerProgressHandler(seen)
    try:
        estimator.fit(rows)
    finally:
        client.removeProgressHandler(seen)

    assert max(done) >= 2
    assert [row["step"] for row in sparkqlora.metrics(f"{estimator.getOutput()}/run-*")] == [1, 2]


def test_a_fit_that_is_interrupted_keeps_its_steps(
    long: QLoraEstimator, rows: DataFrame, spark: SparkSession, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(1) as threads:
        fit = threads.submit(long.fit, rows)
        wait_until(lambda: steps_taken(long) >= 2)
        spark.interruptAll()
        with pytest.raises(ResumableError):
            fit.result()

    again = long.fit(rows)

    assert 2 <= again.summary.resumed_from < LONG
    assert weights(again) == whole(long, rows, tmp_path)


def test_a_client_that_dies_leaves_a_fit_that_goes_on(
    long: QLoraEstimator, rows: DataFrame, demo: Path, tmp_path: Path
) -> None:
    longer = long.copy({long.maxSteps: 5 * LONG})
    script = tmp_path / "client.py"
    script.write_text(CLIENT)
    params = json.dumps({param.name: value for param, value in longer._paramMap.items()})
    client = subprocess.Popen([sys.executable, script, params, demo / "pirate.jsonl"])  # noqa: S603
    wait_until(lambda: steps_taken(longer) >= 2)
    client.kill()
    client.wait()
    # A sender of Spark may miss that its client is gone: then the fit comes to its end.
    wait_until_still(longer)

    taken = steps_taken(longer)
    assert checkpoints(longer)[-1] == taken
    assert longer.fit(rows).summary.resumed_from == taken
