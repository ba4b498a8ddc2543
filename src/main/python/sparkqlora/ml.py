"""Stages for ``pyspark.ml``: the Java stages of the jar, with the params that they have."""

from __future__ import annotations

import difflib
import json
import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, ClassVar, TypeVar

from py4j.java_collections import JavaArray
from pyspark.ml.evaluation import JavaEvaluator
from pyspark.ml.param import Param, TypeConverters
from pyspark.ml.util import JavaMLReadable, JavaMLReader, JavaMLWritable, JavaMLWriter
from pyspark.ml.wrapper import JavaEstimator, JavaModel, JavaParams
from pyspark.sql import DataFrame

from sparkqlora.errors import BadInputError, QLoraError, told_plainly
from sparkqlora.jvm import java_class
from sparkqlora.params import PerplexityEvaluatorParams, QLoraEstimatorParams, takes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Unpack

S = TypeVar("S", bound="_Stage")

_ACCESS = 3
"""Letters of ``get`` and ``set``."""


def _word(value: Any) -> str:
    # Spark's own converter asks for a type that NumPy 2 does not have any more.
    if isinstance(value, (str, os.PathLike)):
        return str(os.fspath(value))

    raise TypeError(f"expected a text, found {value!r}")


# Spark's wrapper reads an array from the JVM where a converter's name begins with toList.
def toListOfWords(values: Any) -> list[str]:  # noqa: N802
    """Make a list of texts, also of a Java array."""
    if isinstance(values, str):
        raise TypeError(f"expected a list of texts, found {values!r}")

    return [_word(value) for value in values]


_CONVERTERS: Mapping[str, Callable[[Any], Any]] = {
    "BooleanParam": TypeConverters.toBoolean,
    "DoubleParam": TypeConverters.toFloat,
    "FloatParam": TypeConverters.toFloat,
    "IntParam": TypeConverters.toInt,
    "LongParam": TypeConverters.toInt,
    "Param": _word,
    "StringArrayParam": toListOfWords,
}


class _Stage(JavaParams):
    """A stage whose params are those of its Java object, with ``setX`` and ``getX`` for each."""

    _java_name: ClassVar[str]

    def _take_from_java(self, params: Mapping[str, Any]) -> None:
        """Become the Java object that was just made."""
        self._create_params_from_java()
        self._resetUid(self._java_obj.uid())  # type: ignore[union-attr]
        self._transfer_params_from_java()
        self._set(**params)

    def _create_params_from_java(self) -> None:
        for java in self._java_obj.params():  # type: ignore[union-attr]
            name = str(java.name())
            if name not in self.__dict__:
                converter = _CONVERTERS[java.getClass().getSimpleName()]
                setattr(self, name, Param(self, name, java.doc(), converter))

        self._params = None  # kept by Params, which must look again

    def _set(self: S, **values: Any) -> S:
        """Set params, and let Java say at once what it would refuse."""
        for name, value in values.items():
            if not self.hasParam(name):
                raise TypeError(self._unknown(name))

            param = self.getParam(name)
            before = dict(self._paramMap)
            super()._set(**{name: value})
            try:
                self._ask_java(param)
            except QLoraError:
                self._paramMap = before
                raise

        return self

    def _setDefault(self: S, **values: Any) -> S:  # noqa: N802 - Spark's name
        """Hold a default that is an array in Java as a list."""
        held = {name: list(value) if isinstance(value, JavaArray) else value for name, value in values.items()}
        return super()._setDefault(**held)

    def _ask_java(self, param: Param[Any]) -> None:
        if self.isSet(param):
            with told_plainly():
                self._make_java_param_pair(param, self.getOrDefault(param))

    def _unknown(self, name: str) -> str:
        near = difflib.get_close_matches(name, [param.name for param in self.params], n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return f"{type(self).__name__} has no param {name}{hint}"

    def __getattr__(self, name: str) -> Any:
        """Give ``setRank`` and ``getRank`` for ``rank``."""
        known = self.__dict__.get(name[_ACCESS : _ACCESS + 1].lower() + name[_ACCESS + 1 :])
        if isinstance(known, Param) and name.startswith("set"):
            return partial(self._put, known.name)

        if isinstance(known, Param) and name.startswith("get"):
            return partial(self.getOrDefault, known.name)

        raise AttributeError(f"{type(self).__name__} has no attribute {name}")

    def _put(self: S, name: str, value: Any) -> S:
        return self._set(**{name: value})


class _Reader(JavaMLReader[Any]):
    """Reads what the Java class of the same stage wrote."""

    @classmethod
    def _java_loader_class(cls, clazz: Any) -> str:
        return str(clazz._java_name)

    @classmethod
    def _load_java_obj(cls, clazz: Any) -> Any:
        return java_class(cls._java_loader_class(clazz))

    def load(self, path: str) -> Any:
        with told_plainly():
            return super().load(os.fspath(path))


class _Writer(JavaMLWriter):
    """Writes what the Java class of the same stage reads."""

    def save(self, path: str) -> None:
        with told_plainly():
            super().save(os.fspath(path))


class _Stored(JavaMLReadable[Any], JavaMLWritable):
    """Kept in the layout that Java and Scala read too, alone and in pipelines."""

    @classmethod
    def read(cls) -> _Reader:
        """Return a reader of what a stage of this kind wrote."""
        return _Reader(cls)

    def write(self) -> JavaMLWriter:
        """Return a writer of this stage."""
        return _Writer(self)


def _table(verb: str, dataset: Any) -> DataFrame:
    if not isinstance(dataset, DataFrame):
        raise BadInputError(
            f"Cannot {verb}: expected a DataFrame of Spark, found {type(dataset).__name__}."
            " spark.createDataFrame makes one"
        )

    return dataset


class QLoraTrainingSummary:
    """What a fit came to."""

    def __init__(self, java: Any) -> None:
        """Wrap the Java summary."""
        self._java = java
        self._facts: dict[str, Any] = json.loads(java.json())

    def __repr__(self) -> str:
        """Show the figures."""
        names = ("steps", "resumed_from", "first_loss", "last_loss", "eval_loss", "adapter_eval_loss", "folder")
        return f"QLoraTrainingSummary({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    @property
    def folder(self) -> str:
        """The run's folder: ``metrics.jsonl``, ``report.html``, ``plan.json``, ``checkpoints/`` and the result."""
        return str(self._java.folder())

    @property
    def facts(self) -> dict[str, Any]:
        """All that ``train`` says at the end."""
        return dict(self._facts)

    @property
    def steps(self) -> int:
        """Optimiser steps."""
        return int(self._java.steps())

    @property
    def resumed_from(self) -> int:
        """Steps that an earlier fit had taken. As many as ``steps``: nothing was trained, its result is used again."""
        return int(self._java.resumedFrom())

    @property
    def first_loss(self) -> float:
        """Loss of the first step."""
        return float(self._java.firstLoss())

    @property
    def last_loss(self) -> float:
        """Loss of the last step."""
        return float(self._java.lastLoss())

    @property
    def eval_loss(self) -> float:
        """Loss over the held-out rows after the last step; not a number where there are none."""
        return float(self._java.evalLoss())

    @property
    def adapter_eval_loss(self) -> float:
        """The same of the model that the fit came to: the lowest with ``keepBest``."""
        return float(self._java.adapterEvalLoss())

    @property
    def tokens_per_second(self) -> float:
        """Speed of the steps."""
        return float(self._java.tokensPerSecond())

    @property
    def metrics(self) -> DataFrame:
        """A row a step."""
        from pyspark.sql import SparkSession  # noqa: PLC0415

        session = SparkSession.getActiveSession()
        with told_plainly():
            return DataFrame(self._java.metrics(), session)  # type: ignore[arg-type]


class QLoraModel(_Stage, JavaModel, _Stored):
    """A base model with what was trained for it: ``transform`` adds its answer and the loss of each row.

    Comes from :meth:`QLoraEstimator.fit` or :meth:`load`. Both columns are computed only if they are used.
    """

    _java_name = "org.sparkqlora.ml.QLoraModel"

    def __init__(self, java_model: Any = None) -> None:
        """Wrap a Java model."""
        super().__init__(java_model)
        if java_model is not None:
            self._take_from_java({})

    @property
    def adapter(self) -> str | None:
        """Folder of the adapter in PEFT layout; nothing when the whole model trained."""
        found = self._java_obj.adapter()  # type: ignore[union-attr]
        return str(found.get()) if found.isPresent() else None

    @property
    def base(self) -> str:
        """The model that answers, or that the adapter is for."""
        return str(self._java_obj.base())  # type: ignore[union-attr]

    @property
    def hasSummary(self) -> bool:  # noqa: N802
        """Whether this model comes from a fit of this session."""
        return bool(self._java_obj.hasSummary())  # type: ignore[union-attr]

    @property
    def summary(self) -> QLoraTrainingSummary:
        """What the fit came to; an error after :meth:`load`."""
        if not self.hasSummary:
            raise QLoraError(f"Cannot tell of the training of {self.uid}: it was not trained here")

        return QLoraTrainingSummary(self._java_obj.summary())  # type: ignore[union-attr]

    def _transform(self, dataset: DataFrame) -> DataFrame:
        with told_plainly():
            return super()._transform(_table("transform", dataset))


@takes(QLoraEstimatorParams)
class QLoraEstimator(_Stage, JavaEstimator[QLoraModel], _Stored):
    """Fine-tunes a model on a data frame.

    Takes every option of ``train`` but ``--data`` by name, in Java's spelling: ``QLoraEstimator(model="MODEL",
    output="OUTPUT", rank=8, learningRate=5e-4)``; ``explainParams()`` lists them. The data frame has the columns of a
    record: ``messages``, ``prompt`` and ``completion``, ``text`` and so on.
    """

    _java_name = "org.sparkqlora.ml.QLoraEstimator"

    def __init__(self, **params: Unpack[QLoraEstimatorParams]) -> None:
        """Make an estimator.

        :param params: by name
        """
        super().__init__()
        self._java_obj = java_class(self._java_name)()
        self._take_from_java(params)

    def _create_model(self, java_model: Any) -> QLoraModel:
        return QLoraModel(java_model)

    def _fit(self, dataset: DataFrame) -> QLoraModel:
        with told_plainly():
            return self._create_model(self._fit_java(_table("fit", dataset)))


@takes(PerplexityEvaluatorParams)
class PerplexityEvaluator(_Stage, JavaEvaluator, _Stored):
    """The perplexity, or the loss, of what a :class:`QLoraModel` transformed; the smaller the better."""

    _java_name = "org.sparkqlora.ml.PerplexityEvaluator"

    def __init__(self, **params: Unpack[PerplexityEvaluatorParams]) -> None:
        """Make an evaluator.

        :param params: by name
        """
        super().__init__()
        self._java_obj = java_class(self._java_name)()
        self._take_from_java(params)

    def _evaluate(self, dataset: DataFrame) -> float:
        with told_plainly():
            return super()._evaluate(_table("evaluate", dataset))


# Where Spark's pipelines look for the Python class of a Java stage: under the name of the Java class.
sys.modules.setdefault("org.sparkqlora.ml", sys.modules[__name__])
