package org.sparkqlora.model.experts;

import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorScope;
import org.sparkqlora.weights.family.Mixture;

/**
 * The experts of each token, and their weights: of {@code p = softmax(logits)} the largest k, divided by their sum where the family
 * normalises them. Computed in float64 and rounded once. Of equal logits the first is taken.
 */
public final class Routing {
    // E experts, k experts a token

    private final Mixture mixture;
    private final int tokens;
    private final float[] probabilities; // (tokens, E)
    private final int[] chosen; // (tokens, k), the largest first
    private final float[] weights; // (tokens, k)

    /** @param logits of the router, (tokens, E) */
    public Routing(float[] logits, int tokens, Mixture mixture) {
        this.mixture = mixture;
        this.tokens = tokens;
        this.probabilities = new float[tokens * mixture.experts()];
        this.chosen = new int[tokens * mixture.perToken()];
        this.weights = new float[tokens * mixture.perToken()];
        double[] row = new double[mixture.experts()];
        for (int token = 0; token < tokens; token++) {
            choose(logits, token);
            softmax(logits, token, row);
            weigh(token, row);
        }
    }

    /** Of the first {@code tokens} rows of logits. */
    public static Routing of(Tensor logits, int tokens, Mixture mixture) {
        float[] values = new float[tokens * mixture.experts()];
        TensorScope.run(() -> {
            Tensor used = logits.narrow(0, 0, tokens).to(ScalarType.Float);
            TensorMemory.read(TensorMemory.onHost(used.contiguous()), values, values.length);
        });
        return new Routing(values, tokens, mixture);
    }

    public int tokens() {
        return tokens;
    }

    /** Of each token that of each expert, chosen or not. */
    public float probability(int token, int expert) {
        return probabilities[token * mixture.experts() + expert];
    }

    /** How many tokens go to each expert. */
    public int[] counts() {
        int[] counts = new int[mixture.experts()];
        for (int expert : chosen) {
            counts[expert]++;
        }

        return counts;
    }

    /** The tokens that go to each expert, ascending. */
    public Share[] shares() {
        int[] counts = counts();
        Share[] shares = new Share[counts.length];
        for (int expert = 0; expert < counts.length; expert++) {
            shares[expert] = new Share(expert, new int[counts[expert]], new float[counts[expert]]);
        }

        int[] filled = new int[counts.length];
        for (int place = 0; place < chosen.length; place++) {
            int expert = chosen[place];
            shares[expert].places[filled[expert]] = place;
            shares[expert].weights[filled[expert]++] = weights[place];
        }

        return shares;
    }

    /** The tokens of one expert. */
    public final class Share {
        private final int expert;
        private final int[] places;
        private final float[] weights;

        private Share(int expert, int[] places, float[] weights) {
            this.expert = expert;
            this.places = places;
            this.weights = weights;
        }

        public int expert() {
            return expert;
        }

        public int size() {
            return places.length;
        }

        /** Ascending. */
        public long[] tokens() {
            return Arrays.stream(places)
                    .mapToLong(place -> place / mixture.perToken())
                    .toArray();
        }

        /** Weight of the expert for each of its tokens, zeros behind them. */
        public float[] weights(int length) {
            return Arrays.copyOf(weights, length);
        }

        /** Writes the gradients of {@link #weights} where they stand among those of all experts, (tokens, k). */
        public void scatter(float[] gradients, float[] all) {
            for (int i = 0; i < places.length; i++) {
                all[places[i]] = gradients[i];
            }
        }
    }

    /** Room for the gradients of all weights. */
    public float[] weightGradients() {
        return new float[weights.length];
    }

    /**
     * The gradient of the logits, (tokens, E), zeros behind them up to {@code rows} rows.
     *
     * @param weightGradients of the weights, (tokens, k)
     * @param perProbability added to the gradient of each token's p, (E); empty for none
     */
    public float[] logitGradients(float[] weightGradients, double[] perProbability, int rows) {
        float[] result = new float[rows * mixture.experts()];
        double[] given = new double[mixture.experts()];
        for (int token = 0; token < tokens; token++) {
            Arrays.fill(given, 0);
            if (mixture.normalized()) {
                addThroughSum(token, weightGradients, result);
            } else {
                for (int place = first(token); place < first(token + 1); place++) {
                    given[chosen[place]] = weightGradients[place];
                }
            }

            for (int expert = 0; expert < perProbability.length; expert++) {
                given[expert] += perProbability[expert];
            }

            if (!mixture.normalized() || perProbability.length > 0) {
                addThroughSoftmax(token, given, result);
            }
        }

        return result;
    }

    /** Weights that sum to 1 are a softmax over the chosen logits alone: {@code dl = w (dw - sum(w dw))}. */
    private void addThroughSum(int token, float[] weightGradients, float[] result) {
        double mean = 0;
        for (int place = first(token); place < first(token + 1); place++) {
            mean += (double) weights[place] * weightGradients[place];
        }

        for (int place = first(token); place < first(token + 1); place++) {
            result[token * mixture.experts() + chosen[place]] +=
                    (float) (weights[place] * (weightGradients[place] - mean));
        }
    }

    /** {@code dl = p (dp - sum(p dp))}. */
    private void addThroughSoftmax(int token, double[] given, float[] result) {
        int at = token * mixture.experts();
        double mean = 0;
        for (int expert = 0; expert < given.length; expert++) {
            mean += probabilities[at + expert] * given[expert];
        }

        for (int expert = 0; expert < given.length; expert++) {
            result[at + expert] += (float) (probabilities[at + expert] * (given[expert] - mean));
        }
    }

    private int first(int token) {
        return token * mixture.perToken();
    }

    private void choose(float[] logits, int token) {
        int at = token * mixture.experts();
        for (int place = first(token); place < first(token + 1); place++) {
            int best = -1;
            for (int expert = 0; expert < mixture.experts(); expert++) {
                if (!isChosen(token, place, expert) && (best < 0 || logits[at + expert] > logits[at + best])) {
                    best = expert;
                }
            }

            chosen[place] = best;
        }
    }

    private boolean isChosen(int token, int before, int expert) {
        for (int place = first(token); place < before; place++) {
            if (chosen[place] == expert) {
                return true;
            }
        }

        return false;
    }

    private void softmax(float[] logits, int token, double[] row) {
        int at = token * mixture.experts();
        double largest = logits[at + chosen[first(token)]];
        double sum = 0;
        for (int expert = 0; expert < row.length; expert++) {
            row[expert] = Math.exp(logits[at + expert] - largest);
            sum += row[expert];
        }

        for (int expert = 0; expert < row.length; expert++) {
            row[expert] /= sum;
            probabilities[at + expert] = (float) row[expert];
        }
    }

    private void weigh(int token, double[] row) {
        double sum = 0;
        for (int place = first(token); place < first(token + 1); place++) {
            sum += row[chosen[place]];
        }

        for (int place = first(token); place < first(token + 1); place++) {
            weights[place] = (float) (row[chosen[place]] / (mixture.normalized() ? sum : 1));
        }
    }
}
