from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder, TrainValidationSplit
from sparkqlora import (
    BadInputError,
    LanguageModelClassificationModel,
    LanguageModelClassifier,
    LanguageModelRegressor,
    PerplexityEvaluator,
    QLoraError,
    QLoraEstimator,
    QLoraModel,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.usefixtures("spark")


def answers(model: Any, questions: DataFrame) -> list[str]:
    return [row.answer for row in model.transform(questions).select("answer").collect()]


def test_a_param_that_is_not_there_is_refused_with_the_nearest() -> None:
    with pytest.raises(TypeError, match="QLoraEstimator has no param rnak; did you mean rank"):
        QLoraEstimator(rnak=4)  # type: ignore[call-arg]


@pytest.mark.parametrize(("name", "value"), [("rank", "four"), ("rank", 1.5), ("useRslora", 1), ("model", 7)])
def test_a_value_of_another_kind_is_refused(estimator: QLoraEstimator, name: str, value: object) -> None:
    before = estimator.getOrDefault(name)

    with pytest.raises(TypeError, match=f'Invalid param value given for param "{name}"'):
        estimator._set(**{name: value})

    assert estimator.getOrDefault(name) == before


def test_nothing_leaves_a_param_at_its_default(model: Path) -> None:
    nothing: Any = None
    estimator = QLoraEstimator(model=str(model), rank=nothing, alpha=8).setAlpha(nothing)

    assert not estimator.isSet("rank")
    assert not estimator.isSet("alpha")
    assert (estimator.getRank(), estimator.getAlpha()) == (16, 32)


def test_all_that_is_wrong_is_told_before_work(estimator: QLoraEstimator, questions: DataFrame, tmp_path: Path) -> None:
    with pytest.raises(BadInputError) as refused:
        estimator.copy({estimator.model: str(tmp_path / "none")}).fit(questions)

    assert str(refused.value).startswith("Cannot fit: ")
    assert "found nothing" in str(refused.value)
    assert "at org." not in str(refused.value)
    assert not (tmp_path / "runs").exists()


def test_a_fit_leaves_an_adapter_a_summary_and_metrics(estimator: QLoraEstimator, rows: DataFrame) -> None:
    model = estimator.fit(rows)

    [stored] = rows.sparkSession.read.text(f"{model.adapter}/adapter_config.json", wholetext=True).collect()
    config = json.loads(stored.value)
    assert config["r"] == 4
    assert model.summary.steps == 2
    assert [row.step for row in model.summary.metrics.collect()] == [1, 2]
    assert model.summary.facts["command"] == "train"
    assert repr(model.summary).startswith("QLoraTrainingSummary(steps=2, resumed_from=0, first_loss=")
    assert repr(model) == f"QLoraModel: uid={model.uid}, base={model.base}, adapter={model.adapter}"
    assert model.uid == estimator.uid
    assert model.getMaxNewTokens() == 12


def test_a_fit_that_is_done_again_says_that_it_is_reused(estimator: QLoraEstimator, rows: DataFrame) -> None:
    first = estimator.fit(rows).summary
    again = estimator.fit(rows).summary

    assert (first.resumed_from, first.steps) == (0, 2)
    assert (again.resumed_from, again.steps) == (2, 2)


def test_what_is_no_data_frame_is_refused(estimator: QLoraEstimator) -> None:
    asked: list[Any] = [estimator.fit, PerplexityEvaluator().evaluate]
    for ask in asked:
        with pytest.raises(BadInputError, match="expected a DataFrame of Spark, found NoneType"):
            ask(None)


def test_a_column_of_another_type_is_named(estimator: QLoraEstimator, questions: DataFrame) -> None:
    with pytest.raises(
        BadInputError, match=r"column messages: expected lists of messages .*, found array<string>"
    ) as refused:
        estimator.fit(questions.selectExpr("array(prompt) messages"))

    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("stage", [QLoraEstimator, QLoraModel, PerplexityEvaluator])
def test_a_path_without_a_stage_is_bad_input_in_one_line(stage: Any, tmp_path: Path) -> None:
    with pytest.raises(BadInputError) as refused:
        stage.load(str(tmp_path / "none"))

    told = str(refused.value)
    assert told.startswith(f"Cannot load {stage.__name__} from {tmp_path / 'none'}: expected a folder that save wrote")
    assert "\n" not in told


def test_a_path_that_is_taken_is_bad_input_in_one_line(estimator: QLoraEstimator, tmp_path: Path) -> None:
    with pytest.raises(BadInputError) as refused:
        estimator.save(str(tmp_path))

    assert str(refused.value) == (
        f"Cannot save to {tmp_path}: expected a path that does not exist yet, found one."
        " write().overwrite().save(path) replaces it"
    )


def test_stages_come_back_from_storage(estimator: QLoraEstimator, tmp_path: Path) -> None:
    evaluator = PerplexityEvaluator(metricName="loss")
    estimator.save(str(tmp_path / "estimator"))
    evaluator.write().overwrite().save(str(tmp_path / "evaluator"))

    estimator_again = QLoraEstimator.load(str(tmp_path / "estimator"))
    evaluator_again = PerplexityEvaluator.load(str(tmp_path / "evaluator"))

    assert estimator_again.uid == estimator.uid
    assert estimator_again.extractParamMap() == estimator.extractParamMap()
    assert evaluator_again.getMetricName() == "loss"
    assert evaluator_again.isLargerBetter() is False


def test_a_pipeline_model_comes_back_with_the_same_answers(
    estimator: QLoraEstimator, rows: DataFrame, questions: DataFrame, tmp_path: Path
) -> None:
    fitted = Pipeline(stages=[estimator]).fit(rows)
    fitted.save(str(tmp_path / "pipeline"))

    again = PipelineModel.load(str(tmp_path / "pipeline"))

    assert isinstance(again.stages[0], QLoraModel)
    assert answers(again, questions) == answers(fitted, questions)
    with pytest.raises(QLoraError, match="it was not trained here"):
        _ = again.stages[0].summary


def test_rows_choose_among_adapters(
    estimator: QLoraEstimator, rows: DataFrame, questions: DataFrame, demo: Path
) -> None:
    model = estimator.fit(rows)
    own = answers(model, questions)

    model.setAdapters({"tuned": demo / "tuned" / "adapter"}).setAdapterCol("voice").setErrorCol("error")
    first = f"prompt = '{questions.first().prompt}'"  # type: ignore[union-attr]
    voiced = questions.selectExpr("*", f"CASE WHEN {first} THEN 'tuned' WHEN prompt LIKE '%seal%' THEN 'x' END voice")
    made = model.transform(voiced).collect()

    assert model.getAdapters() == [f"tuned={demo / 'tuned' / 'adapter'}"]
    assert made[0].answer not in own
    assert made[1].answer == own[1]
    assert made[2].answer is None
    assert made[2].error.type == "UNKNOWN_ADAPTER"


def test_texts_are_classified_and_numbered(model: Path, spark: SparkSession, tmp_path: Path) -> None:
    told = [("The owl says hoot.", 0.0), ("The cat says meow.", 1.0)] * 6
    texts = spark.createDataFrame(told, ["features", "label"])
    params: dict[str, Any] = {"model": model, "output": tmp_path / "runs", "precision": "fp32", "sequenceLength": 64}
    classifier = LanguageModelClassifier(**params, batchSize=4, maxSteps=3, rank=4)
    regressor = LanguageModelRegressor(**params, batchSize=4, maxSteps=3, rank=4)

    classes = classifier.fit(texts)
    numbers = regressor.fit(texts)

    assert classes.numClasses == 2
    assert classes.summary.steps == numbers.summary.steps == 3
    classes.save(str(tmp_path / "classes"))
    again = LanguageModelClassificationModel.load(str(tmp_path / "classes"))
    assert (
        again.transform(texts).select("probability").collect()
        == classes.transform(texts).select("probability").collect()
    )
    assert {row.prediction for row in classes.transform(texts).collect()} <= {0.0, 1.0}
    assert all(isinstance(row.prediction, float) for row in numbers.transform(texts).collect())


def test_a_sweep_picks_the_best_by_the_evaluator(estimator: QLoraEstimator, rows: DataFrame) -> None:
    grid = ParamGridBuilder().addGrid(estimator.learningRate, [1e-5, 2e-2]).build()

    fitted = TrainValidationSplit(
        estimator=estimator, estimatorParamMaps=grid, evaluator=PerplexityEvaluator(), trainRatio=0.75, seed=1
    ).fit(rows)

    slow, quick = fitted.validationMetrics
    assert quick < slow
    assert isinstance(fitted.bestModel, QLoraModel)
    assert fitted.bestModel.adapter


def test_a_cross_validation_is_stored_and_read(estimator: QLoraEstimator, rows: DataFrame, tmp_path: Path) -> None:
    grid = ParamGridBuilder().addGrid(estimator.rank, [2]).build()
    validator = CrossValidator(
        estimator=estimator, estimatorParamMaps=grid, evaluator=PerplexityEvaluator(), numFolds=2, seed=1
    )
    validator.save(str(tmp_path / "validator"))

    fitted = CrossValidator.load(str(tmp_path / "validator")).fit(rows)

    assert len(fitted.avgMetrics) == 1
    assert isinstance(fitted.bestModel, QLoraModel)
    assert fitted.bestModel.summary.facts["trained_parameters"] > 0
