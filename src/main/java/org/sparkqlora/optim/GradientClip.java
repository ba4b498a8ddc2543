package org.sparkqlora.optim;

/** Keeps the norm of all gradients together below a bound, as {@code torch.nn.utils.clip_grad_norm_} does. */
public final class GradientClip {
    private static final double SAFETY = 1e-6;

    private GradientClip() {}

    /** {@code min(1, maxNorm / (norm + 1e-6))}; 1 when {@code maxNorm} is 0, which turns clipping off. */
    public static double factor(double norm, double maxNorm) {
        if (maxNorm == 0) {
            return 1;
        }

        return Math.min(1, maxNorm / (norm + SAFETY));
    }
}
