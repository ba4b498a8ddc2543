package org.sparkqlora.model.experts;

import java.util.TreeMap;
import org.sparkqlora.weights.family.Mixture;

/**
 * The evenness with which the tokens of a pass go to experts (arXiv 2101.03961, equations 4 to 6, over all layers together as transformers has it):
 * {@code loss = E sum over e of f_e P_e}, f_e the experts that tokens chose and P_e the mean probability. The choice counts as constant
 * for the gradient. Of one pass, which puts in each layer before it goes back through any.
 */
public final class RouterBalance {
    // E experts

    private final Mixture mixture;
    private final TreeMap<Integer, Layer> layers = new TreeMap<>();
    private final double weight;
    private double factor;

    /** @param weight of the loss beside a mean loss; 0 for none */
    public RouterBalance(Mixture mixture, double weight) {
        this.mixture = mixture;
        this.weight = weight;
    }

    private record Layer(int tokens, int[] counts, double[] probabilities) {}

    /** Counts a layer; one that is computed again counts once. */
    void put(int layer, Routing routing) {
        double[] sums = new double[mixture.experts()];
        for (int token = 0; token < routing.tokens(); token++) {
            for (int expert = 0; expert < sums.length; expert++) {
                sums[expert] += routing.probability(token, expert);
            }
        }

        layers.put(layer, new Layer(routing.tokens(), routing.counts(), sums));
    }

    double loss() {
        double[] chosen = chosen();
        double sum = 0;
        for (Layer layer : layers.values()) {
            for (int expert = 0; expert < chosen.length; expert++) {
                sum += chosen[expert] * layer.probabilities()[expert];
            }
        }

        return mixture.experts() * sum / rows();
    }

    /**
     * Takes the loss into the gradient, and returns what it adds to a summed loss.
     *
     * @param terms of that sum
     * @param gradientFactor on all gradients
     */
    public double weigh(long terms, double gradientFactor) {
        if (weight == 0 || terms == 0) {
            return 0;
        }

        factor = weight * terms * gradientFactor;
        return weight * terms * loss();
    }

    /** The gradient of each token's probabilities, (E); empty where the loss has no weight. */
    double[] gradient() {
        if (factor == 0) {
            return new double[0];
        }

        double[] gradient = chosen();
        for (int expert = 0; expert < gradient.length; expert++) {
            gradient[expert] *= factor * mixture.experts() / rows();
        }

        return gradient;
    }

    /** f. */
    private double[] chosen() {
        double[] chosen = new double[mixture.experts()];
        for (Layer layer : layers.values()) {
            for (int expert = 0; expert < chosen.length; expert++) {
                chosen[expert] += (double) layer.counts()[expert] / rows();
            }
        }

        return chosen;
    }

    private double rows() {
        return layers.values().stream().mapToInt(Layer::tokens).sum();
    }

    /** That of one layer. */
    public OfLayer layer(int index) {
        return new OfLayer(this, index);
    }

    /** The part of a layer in it. */
    public record OfLayer(RouterBalance balance, int index) {
        public void put(Routing routing) {
            balance.put(index, routing);
        }

        public double[] gradient() {
            return balance.gradient();
        }
    }
}
