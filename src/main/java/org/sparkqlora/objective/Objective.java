package org.sparkqlora.objective;

import java.io.Serializable;
import java.util.LinkedHashMap;
import java.util.Map;
import org.sparkqlora.model.loss.LossTotal.Measures;

/** The goal of a training run. A value: equal objectives give equal gradients. */
public sealed interface Objective extends Serializable permits SupervisedTuning, AnswerObjective, ScoreObjective {
    /** The cross-entropy of trained tokens. */
    Objective SFT = new SupervisedTuning();

    /** Which objective. */
    ObjectiveKind kind();

    /** Whether an example is two texts with one prompt. */
    default boolean isOfPairs() {
        return switch (kind()) {
            case DPO, ORPO, CPO, SIMPO, REWARD -> true;
            case SFT, KTO, CLASSIFY -> false;
        };
    }

    /** Whether the gradients of a step's shards need sums over the whole batch, which are made before. */
    default boolean needsBatchSums() {
        return false;
    }

    /** The metrics of a step or an evaluation, from the sums that losses made; by TRL's names where TRL has them. */
    default Map<String, Double> metrics(Measures sums) {
        Map<String, Double> means = new LinkedHashMap<>();
        sums.sums().keySet().forEach(name -> means.put(name, sums.mean(name)));
        return means;
    }
}
