package org.sparkqlora.train;

import org.sparkqlora.model.loss.LossTotal;

/**
 * The update that a summed gradient makes.
 *
 * @param update of one version
 * @param norm of the mean gradient, before clipping
 */
record ClippedUpdate(Update update, double norm) {
    private static final double SAFETY = 1e-6;

    /** For {@code gradient}, the derivative of {@code loss.lossSum()} at {@code position}; there is a token at least. */
    static ClippedUpdate of(TrainPlan plan, Position position, SummedGradient gradient, LossTotal loss) {
        double norm = Math.sqrt(gradient.squares()) / loss.terms();
        double clip = clip(norm, plan.maxGradientNorm());
        double learningRate = plan.schedule().learningRate(Math.toIntExact(position.optimizerSteps()));
        float scale = (float) (clip / loss.terms());
        return new ClippedUpdate(new Update(position.version(), gradient, scale, learningRate), norm);
    }

    /**
     * The factor that keeps the norm of all gradients together below a bound, as {@code torch.nn.utils.clip_grad_norm_} does:
     * {@code min(1, maxNorm / (norm + 1e-6))}; 1 when {@code maxNorm} is 0, which turns clipping off.
     */
    static double clip(double norm, double maxNorm) {
        return maxNorm == 0 ? 1 : Math.min(1, maxNorm / (norm + SAFETY));
    }

    boolean isFinite() {
        return Double.isFinite(norm);
    }
}
