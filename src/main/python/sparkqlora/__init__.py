"""QLoRA fine-tuning as an Apache Spark job, from Python.

A thin layer over the classes of ``spark-qlora.jar``, which must be in ``spark.jars`` before the session starts;
:func:`session` sees to it. ``QLoraEstimator``, ``QLoraModel`` and ``PerplexityEvaluator`` are stages of ``pyspark.ml``
with the params that the Java classes have; functions such as :func:`plan` and :func:`merge` run the commands of the
command line. What the JVM says of a failure comes as one :class:`QLoraError` without its stack.
"""

from sparkqlora import foundation_model
from sparkqlora.commands import compare, evaluate, export, generate, inspect, merge, metrics, plan, quantize, run, train
from sparkqlora.errors import BadInputError, QLoraError, ResumableError
from sparkqlora.ml import (
    LanguageModelClassificationModel,
    LanguageModelClassifier,
    LanguageModelRegressionModel,
    LanguageModelRegressor,
    PerplexityEvaluator,
    QLoraEstimator,
    QLoraModel,
    QLoraTrainingSummary,
)
from sparkqlora.results import (
    Answer,
    Comparison,
    Evaluation,
    ExportedFile,
    MemoryPlan,
    MergedModel,
    MethodMemory,
    MethodRun,
    QuantizedModel,
    TrainedModel,
)
from sparkqlora.sessions import session
from sparkqlora.tables import Table
from sparkqlora.weights import FourBitWeight, ModelWeights

__all__ = [
    "Answer",
    "BadInputError",
    "Comparison",
    "Evaluation",
    "ExportedFile",
    "FourBitWeight",
    "LanguageModelClassificationModel",
    "LanguageModelClassifier",
    "LanguageModelRegressionModel",
    "LanguageModelRegressor",
    "MemoryPlan",
    "MergedModel",
    "MethodMemory",
    "MethodRun",
    "ModelWeights",
    "PerplexityEvaluator",
    "QLoraError",
    "QLoraEstimator",
    "QLoraModel",
    "QLoraTrainingSummary",
    "QuantizedModel",
    "ResumableError",
    "Table",
    "TrainedModel",
    "compare",
    "evaluate",
    "export",
    "foundation_model",
    "generate",
    "inspect",
    "merge",
    "metrics",
    "plan",
    "quantize",
    "run",
    "session",
    "train",
]
