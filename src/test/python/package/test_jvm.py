"""What the stages have beyond Spark Connect: a Java object in the JVM of this process."""

from __future__ import annotations

import inspect
import pydoc
from typing import TYPE_CHECKING

import pytest
from sparkqlora import BadInputError, PerplexityEvaluator, QLoraEstimator, QLoraModel

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame

pytestmark = pytest.mark.usefixtures("spark")


def test_params_are_those_of_java(estimator: QLoraEstimator) -> None:
    java = {param.name(): param.doc() for param in estimator._to_java().params()}

    assert {param.name: param.doc for param in estimator.params} == java
    assert estimator.getRank() == 4
    assert estimator.setRank(8).getRank() == 8
    assert estimator.getOrDefault(estimator.method) == "qlora"
    assert not estimator.isDefined(estimator.evalData)


@pytest.mark.parametrize("stage", [QLoraEstimator, PerplexityEvaluator])
def test_help_lists_the_params_that_java_has(stage: type) -> None:
    made = stage()  # without it py4j may let go of the Java object before it is asked
    java = {str(param.name()) for param in made._to_java().params()}

    assert set(inspect.signature(stage).parameters) == java
    assert f"{min(java)}: " in pydoc.plain(pydoc.render_doc(stage))


def test_a_word_that_no_option_knows_is_refused_at_once(estimator: QLoraEstimator) -> None:
    with pytest.raises(BadInputError, match="expected"):
        estimator.setMethod("magic")

    assert estimator.getMethod() == "qlora"


def test_a_java_model_is_wrapped(estimator: QLoraEstimator, rows: DataFrame) -> None:
    model = estimator.fit(rows)

    again = QLoraModel(model._to_java())

    assert again.extractParamMap() == model.extractParamMap()
    assert again.summary.facts == model.summary.facts


def test_a_missing_stage_is_found_missing(tmp_path: Path) -> None:
    with pytest.raises(BadInputError) as refused:
        QLoraModel.load(str(tmp_path / "none"))

    assert str(refused.value).endswith(", found nothing")
