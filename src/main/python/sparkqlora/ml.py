"""Stages for ``pyspark.ml``: the Java stages of the jar, with the params that they have."""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from pyspark.ml.evaluation import JavaEvaluator
from pyspark.ml.wrapper import JavaEstimator, JavaModel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.utils import is_remote

from sparkqlora.errors import QLoraError, told_plainly
from sparkqlora.params import (
    LanguageModelClassifierParams,
    LanguageModelRegressorParams,
    PerplexityEvaluatorParams,
    QLoraEstimatorParams,
    takes,
)
from sparkqlora.stage import Stage, Stored, table

if TYPE_CHECKING:
    from typing_extensions import Unpack


class QLoraTrainingSummary:
    """What a fit came to."""

    def __init__(self, folder: str, facts: dict[str, Any]) -> None:
        """Hold what ``train`` would have said."""
        self._folder = folder
        self._facts = facts

    def __repr__(self) -> str:
        """Show the figures."""
        names = ("steps", "resumed_from", "first_loss", "last_loss", "eval_loss", "adapter_eval_loss", "folder")
        return f"QLoraTrainingSummary({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    @property
    def folder(self) -> str:
        """The run's folder: ``metrics.jsonl``, ``report.html``, ``plan.json``, ``checkpoints/`` and the result."""
        return self._folder

    @property
    def facts(self) -> dict[str, Any]:
        """All that ``train`` says at the end."""
        return dict(self._facts)

    @property
    def steps(self) -> int:
        """Optimiser steps."""
        return int(self._facts["steps"])

    @property
    def resumed_from(self) -> int:
        """Steps that an earlier fit had taken. As many as ``steps``: nothing was trained, its result is used again."""
        return int(self._facts["resumed_from"])

    @property
    def first_loss(self) -> float:
        """Loss of the first step."""
        return self._number("first_loss")

    @property
    def last_loss(self) -> float:
        """Loss of the last step."""
        return self._number("last_loss")

    @property
    def eval_loss(self) -> float:
        """Loss over the held-out rows after the last step; not a number where there are none."""
        return self._number("eval_loss")

    @property
    def adapter_eval_loss(self) -> float:
        """The same of the model that the fit came to: the lowest with ``keepBest``."""
        return self._number("adapter_eval_loss")

    @property
    def tokens_per_second(self) -> float:
        """Speed of the steps."""
        return self._number("tokens_per_second")

    @property
    def metrics(self) -> DataFrame:
        """A row a step."""
        session = cast("SparkSession", SparkSession.getActiveSession())
        with told_plainly():
            return session.read.json(f"{self._folder}/metrics.jsonl")

    def _number(self, name: str) -> float:
        return float(self._facts.get(name, math.nan))


class FittedModel(Stage, JavaModel, Stored):
    """A base model with what was trained for it. Comes from the ``fit`` of its estimator or from ``load``."""

    def __init__(self, java_model: Any = None) -> None:
        """Wrap a Java model, or one that a server of Spark Connect holds."""
        super().__init__(java_model)
        self._described: dict[str, Any] | None = None
        self._add_params()
        if java_model is not None:
            self._take_params()

    def __repr__(self) -> str:
        """Show where its parts are."""
        adapter = "" if self.adapter is None else f", adapter={self.adapter}"
        return f"{type(self).__name__}: uid={self.uid}, base={self.base}{adapter}"

    @property
    def _description(self) -> dict[str, Any]:
        """What the Java model says of itself; of its methods, Spark Connect calls ``toString`` alone."""
        if self._described is None:
            with told_plainly():
                self._described = json.loads(self._call_java("toString"))

        return cast("dict[str, Any]", self._described)

    def _take_params(self) -> None:
        """Take the params of the Java model, which differ from its estimator's where all weights trained."""
        self._resetUid(self._description["uid"])
        self._set(**self._description["params"])

    @property
    def adapter(self) -> str | None:
        """Folder of the adapter in PEFT layout; nothing when the whole model trained."""
        return cast("str | None", self._description["adapter"])

    @property
    def base(self) -> str:
        """The model that answers, or that the adapter is for."""
        return str(self._description["params"]["model"])

    @property
    def hasSummary(self) -> bool:  # noqa: N802
        """Whether this model comes from a fit of this session."""
        return "summary" in self._description

    @property
    def summary(self) -> QLoraTrainingSummary:
        """What the fit came to; an error after :meth:`load`."""
        if not self.hasSummary:
            raise QLoraError(f"Cannot tell of the training of {self.uid}: it was not trained here")

        return QLoraTrainingSummary(self._description["folder"], self._description["summary"])

    def _transform(self, dataset: DataFrame) -> DataFrame:
        with told_plainly():
            return super()._transform(table("transform", dataset))


M = TypeVar("M", bound=FittedModel)


class FittingEstimator(Stage, JavaEstimator[M], Stored):
    """Fine-tunes a model on a data frame."""

    _model: ClassVar[type[Any]]

    def _create_model(self, java_model: Any) -> M:
        return cast("M", self._model(java_model))

    def _fit(self, dataset: DataFrame) -> M:
        if is_remote():
            from sparkqlora.connect import use_session_of  # noqa: PLC0415 - Spark 3.5 lacks what it needs

            use_session_of(table("fit", dataset))

        with told_plainly():
            model = super()._fit(table("fit", dataset))

        model._take_params()
        return model


class QLoraModel(FittedModel):
    """A base model with what was trained for it: ``transform`` adds its answer and the loss of each row.

    Comes from :meth:`QLoraEstimator.fit` or :meth:`load`. Both columns are computed only if they are used.
    """

    _java_name = "org.sparkqlora.ml.QLoraModel"


@takes(QLoraEstimatorParams)
class QLoraEstimator(FittingEstimator[QLoraModel]):
    """Fine-tunes a model on a data frame.

    Takes every option of ``train`` but ``--data`` by name, in Java's spelling: ``QLoraEstimator(model="MODEL",
    output="OUTPUT", rank=8, learningRate=5e-4)``; ``explainParams()`` lists them. The data frame has the columns of a
    record: ``messages``, ``prompt`` and ``completion``, ``text`` and so on.
    """

    _java_name = "org.sparkqlora.ml.QLoraEstimator"
    _model = QLoraModel

    def __init__(self, **params: Unpack[QLoraEstimatorParams]) -> None:
        """Make an estimator.

        :param params: by name
        """
        super().__init__()
        self._make(params)


class LanguageModelClassificationModel(FittedModel):
    """A language model that classifies texts: ``transform`` adds scores, probabilities and the index of the class."""

    _java_name = "org.sparkqlora.ml.LanguageModelClassificationModel"

    @property
    def numClasses(self) -> int:  # noqa: N802
        """How many classes it knows."""
        with told_plainly():
            return int(self._call_java("numClasses"))


@takes(LanguageModelClassifierParams)
class LanguageModelClassifier(FittingEstimator[LanguageModelClassificationModel]):
    """Fine-tunes a language model to classify texts.

    ``featuresCol`` is a column of texts, ``labelCol`` the index of each one's class, as ``StringIndexer`` makes it.
    """

    _java_name = "org.sparkqlora.ml.LanguageModelClassifier"
    _model = LanguageModelClassificationModel

    def __init__(self, **params: Unpack[LanguageModelClassifierParams]) -> None:
        """Make an estimator.

        :param params: by name
        """
        super().__init__()
        self._make(params)


class LanguageModelRegressionModel(FittedModel):
    """A language model that tells a number of a text: ``transform`` adds it."""

    _java_name = "org.sparkqlora.ml.LanguageModelRegressionModel"


@takes(LanguageModelRegressorParams)
class LanguageModelRegressor(FittingEstimator[LanguageModelRegressionModel]):
    """Fine-tunes a language model to tell a number of a text.

    ``featuresCol`` is a column of texts, ``labelCol`` their numbers.
    """

    _java_name = "org.sparkqlora.ml.LanguageModelRegressor"
    _model = LanguageModelRegressionModel

    def __init__(self, **params: Unpack[LanguageModelRegressorParams]) -> None:
        """Make an estimator.

        :param params: by name
        """
        super().__init__()
        self._make(params)


@takes(PerplexityEvaluatorParams)
class PerplexityEvaluator(Stage, JavaEvaluator, Stored):
    """The perplexity, or the loss, of what a :class:`QLoraModel` transformed; the smaller the better."""

    _java_name = "org.sparkqlora.ml.PerplexityEvaluator"

    def __init__(self, **params: Unpack[PerplexityEvaluatorParams]) -> None:
        """Make an evaluator.

        :param params: by name
        """
        super().__init__()
        self._make(params)

    def _evaluate(self, dataset: DataFrame) -> float:
        with told_plainly():
            return super()._evaluate(table("evaluate", dataset))

    def isLargerBetter(self) -> bool:  # noqa: N802
        """Tell that it is not."""
        return False


# Where Spark's pipelines look for the Python class of a Java stage: under the name of the Java class.
sys.modules.setdefault("org.sparkqlora.ml", sys.modules[__name__])
