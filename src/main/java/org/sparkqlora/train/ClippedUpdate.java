package org.sparkqlora.train;

import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.optim.GradientClip;

/**
 * The update that a summed gradient makes.
 *
 * @param update of one version
 * @param norm of the mean gradient, before clipping
 */
record ClippedUpdate(Update update, double norm) {
    /** For {@code gradient}, the derivative of {@code loss.lossSum()} at {@code position}; there is a token at least. */
    static ClippedUpdate of(TrainPlan plan, Position position, SummedGradient gradient, LossTotal loss) {
        double norm = Math.sqrt(gradient.squares()) / loss.terms();
        double clip = GradientClip.factor(norm, plan.maxGradientNorm());
        double learningRate = plan.schedule().learningRate(Math.toIntExact(position.optimizerSteps()));
        float scale = (float) (clip / loss.terms());
        return new ClippedUpdate(new Update(position.version(), gradient, scale, learningRate), norm);
    }

    boolean isFinite() {
        return Double.isFinite(norm);
    }
}
