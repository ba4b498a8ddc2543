"""The params of the stages by name, for signatures, ``help()`` and editors."""

from __future__ import annotations

import inspect
import os  # noqa: TC003 - hints are read when a class is made
from collections.abc import Sequence  # noqa: TC003
from operator import itemgetter
from typing import Any, Callable, TypedDict, TypeVar, Union, get_type_hints

C = TypeVar("C", bound=type)

Text = Union[str, "os.PathLike[str]"]


class TrainingParams(TypedDict, total=False):
    """What every stage takes that trains."""

    adamBeta1: float
    adamBeta2: float
    adamEpsilon: float
    alpha: float
    alphaPattern: Sequence[Text]
    baseMemory: Text
    batchSize: int
    checkpointEvery: int
    checkpointWhen: Text
    device: Text
    dropout: float
    epochs: float
    evalData: Sequence[Text]
    evalEvery: int
    evalFraction: float
    evalWhen: Text
    exchange: Text
    excludeModules: Text
    executorTimeout: int
    initAdapter: Text
    initLoraWeights: Text
    keepBest: bool
    keepCheckpoints: int
    layersToTransform: Sequence[Text]
    learningRate: float
    lineage: Text
    localSteps: int
    loraplusRatio: float
    maxGradNorm: float
    maxRecordBytes: Text
    maxSteps: int
    method: Text
    microBatchSize: int
    mlflow: Text
    mlflowExperiment: Text
    mlflowRegistry: Text
    model: Text
    modelCache: Text
    modulesToSave: Sequence[Text]
    neftuneNoiseAlpha: float
    newTokens: Sequence[Text]
    newTokensFile: Text
    noDoubleQuant: bool
    noShuffle: bool
    noWeightTying: bool
    onBadRecord: Text
    optimizer: Text
    optimizerPages: Text
    optimizerWindow: Text
    output: Text
    passesAtOnce: int
    patience: int
    precision: Text
    prepared: Text
    quant: Text
    rank: int
    rankPattern: Sequence[Text]
    recompute: Text
    registerModel: Text
    resizeTokenEmbeddings: int
    resume: Text
    revision: Text
    routerAuxLossCoef: float
    runName: Text
    schedule: Text
    seed: int
    sequenceLength: int
    shards: int
    targetModules: Text
    targetParameters: Sequence[Text]
    tensorboard: Text
    useDora: bool
    useRslora: bool
    warmupRatio: float
    warmupSteps: int
    weightDecay: float
    wire: Text
    zeroStage: Text


class QLoraEstimatorParams(TrainingParams, total=False):
    """What ``QLoraEstimator`` takes; ``explainParams()`` tells what each means and its default."""

    answerLossCol: Text
    beta: float
    centerRewardsCoefficient: float
    chatTemplate: Text
    columns: Sequence[Text]
    cpoAlpha: float
    desirableWeight: float
    dpoLoss: Sequence[Text]
    errorCol: Text
    evalMaxNewTokens: int
    evalPrompts: Text
    format: Text
    inputCol: Text
    ktoLoss: Text
    labelSmoothing: float
    labels: Sequence[Text]
    ldAlpha: float
    lossCol: Text
    lossWeights: Sequence[Text]
    maxNewTokens: int
    noPacking: bool
    objective: Text
    outputCol: Text
    precomputeRefLogProbs: bool
    problemType: Text
    reference: Text
    simpoGamma: float
    temperature: float
    templateBudget: int
    topK: int
    topP: float
    trainOn: Text
    undesirableWeight: float


class LanguageModelClassifierParams(TrainingParams, total=False):
    """What ``LanguageModelClassifier`` takes."""

    featuresCol: Text
    labelCol: Text
    predictionCol: Text
    probabilityCol: Text
    rawPredictionCol: Text
    thresholds: Sequence[float]


class LanguageModelRegressorParams(TrainingParams, total=False):
    """What ``LanguageModelRegressor`` takes."""

    featuresCol: Text
    labelCol: Text
    predictionCol: Text


class PerplexityEvaluatorParams(TypedDict, total=False):
    """What ``PerplexityEvaluator`` takes."""

    lossCol: Text
    metricName: Text


class _Unset:
    """The default of a param: what Java has, if anything."""

    def __repr__(self) -> str:
        return "<default>"


def takes(params: Any) -> Callable[[C], C]:
    """Give a class the signature that its keyword arguments spell.

    :param params: a ``TypedDict`` of them
    """
    keywords = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=_Unset())
        for name, kind in sorted(get_type_hints(params).items(), key=itemgetter(0))
    ]

    def signed(stage: C) -> C:
        stage.__signature__ = inspect.Signature(keywords)  # type: ignore[attr-defined]
        return stage

    return signed
