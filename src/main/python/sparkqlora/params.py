"""The params of the stages by name, for signatures, ``help()`` and editors."""

from __future__ import annotations

import inspect
import os  # noqa: TC003 - hints are read when a class is made
from collections.abc import Sequence  # noqa: TC003
from typing import Any, Callable, TypedDict, TypeVar, Union, get_type_hints

C = TypeVar("C", bound=type)

Text = Union[str, "os.PathLike[str]"]


class QLoraEstimatorParams(TypedDict, total=False):
    """What ``QLoraEstimator`` takes; ``explainParams()`` tells what each means and its default."""

    adamBeta1: float
    adamBeta2: float
    adamEpsilon: float
    alpha: float
    alphaPattern: Sequence[Text]
    baseMemory: Text
    batchSize: int
    beta: float
    centerRewardsCoefficient: float
    chatTemplate: Text
    checkpointEvery: int
    checkpointWhen: Text
    columns: Sequence[Text]
    cpoAlpha: float
    desirableWeight: float
    device: Text
    dpoLoss: Sequence[Text]
    dropout: float
    epochs: float
    evalData: Sequence[Text]
    evalEvery: int
    evalFraction: float
    evalMaxNewTokens: int
    evalPrompts: Text
    evalWhen: Text
    exchange: Text
    excludeModules: Text
    executorTimeout: int
    format: Text
    initAdapter: Text
    initLoraWeights: Text
    inputCol: Text
    keepBest: bool
    keepCheckpoints: int
    ktoLoss: Text
    labelSmoothing: float
    labels: Sequence[Text]
    layersToTransform: Sequence[Text]
    ldAlpha: float
    learningRate: float
    localSteps: int
    loraplusRatio: float
    lossCol: Text
    lossWeights: Sequence[Text]
    maxGradNorm: float
    maxNewTokens: int
    maxRecordBytes: Text
    maxSteps: int
    method: Text
    microBatchSize: int
    mlflow: Text
    mlflowExperiment: Text
    model: Text
    modelCache: Text
    modulesToSave: Sequence[Text]
    neftuneNoiseAlpha: float
    newTokens: Sequence[Text]
    newTokensFile: Text
    noDoubleQuant: bool
    noPacking: bool
    noShuffle: bool
    noWeightTying: bool
    objective: Text
    onBadRecord: Text
    optimizer: Text
    optimizerPages: Text
    optimizerWindow: Text
    output: Text
    outputCol: Text
    passesAtOnce: int
    patience: int
    precision: Text
    precomputeRefLogProbs: bool
    prepared: Text
    problemType: Text
    quant: Text
    rank: int
    rankPattern: Sequence[Text]
    recompute: Text
    reference: Text
    resizeTokenEmbeddings: int
    resume: Text
    revision: Text
    runName: Text
    schedule: Text
    seed: int
    sequenceLength: int
    shards: int
    simpoGamma: float
    targetModules: Text
    temperature: float
    templateBudget: int
    tensorboard: Text
    topK: int
    topP: float
    trainOn: Text
    undesirableWeight: float
    useDora: bool
    useRslora: bool
    warmupRatio: float
    warmupSteps: int
    weightDecay: float
    wire: Text


class LanguageModelClassifierParams(TypedDict, total=False):
    """What ``LanguageModelClassifier`` takes."""

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
    featuresCol: Text
    initAdapter: Text
    initLoraWeights: Text
    keepBest: bool
    keepCheckpoints: int
    labelCol: Text
    layersToTransform: Sequence[Text]
    learningRate: float
    localSteps: int
    loraplusRatio: float
    maxGradNorm: float
    maxRecordBytes: Text
    maxSteps: int
    method: Text
    microBatchSize: int
    mlflow: Text
    mlflowExperiment: Text
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
    predictionCol: Text
    prepared: Text
    probabilityCol: Text
    quant: Text
    rank: int
    rankPattern: Sequence[Text]
    rawPredictionCol: Text
    recompute: Text
    resizeTokenEmbeddings: int
    resume: Text
    revision: Text
    runName: Text
    schedule: Text
    seed: int
    sequenceLength: int
    shards: int
    targetModules: Text
    tensorboard: Text
    thresholds: Sequence[float]
    useDora: bool
    useRslora: bool
    warmupRatio: float
    warmupSteps: int
    weightDecay: float
    wire: Text


class LanguageModelRegressorParams(TypedDict, total=False):
    """What ``LanguageModelRegressor`` takes."""

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
    featuresCol: Text
    initAdapter: Text
    initLoraWeights: Text
    keepBest: bool
    keepCheckpoints: int
    labelCol: Text
    layersToTransform: Sequence[Text]
    learningRate: float
    localSteps: int
    loraplusRatio: float
    maxGradNorm: float
    maxRecordBytes: Text
    maxSteps: int
    method: Text
    microBatchSize: int
    mlflow: Text
    mlflowExperiment: Text
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
    predictionCol: Text
    prepared: Text
    quant: Text
    rank: int
    rankPattern: Sequence[Text]
    recompute: Text
    resizeTokenEmbeddings: int
    resume: Text
    revision: Text
    runName: Text
    schedule: Text
    seed: int
    sequenceLength: int
    shards: int
    targetModules: Text
    tensorboard: Text
    useDora: bool
    useRslora: bool
    warmupRatio: float
    warmupSteps: int
    weightDecay: float
    wire: Text


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
        for name, kind in get_type_hints(params).items()
    ]

    def signed(stage: C) -> C:
        stage.__signature__ = inspect.Signature(keywords)  # type: ignore[attr-defined]
        return stage

    return signed
