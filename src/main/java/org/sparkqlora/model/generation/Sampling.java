package org.sparkqlora.model.generation;

import java.io.Serializable;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.tensor.SplitMix;

/**
 * The choice of a token, narrowed as transformers' {@code generate} does: logits over temperature, then only the {@code topK}
 * likeliest, then only the likeliest that together reach {@code topP}; of those one by chance.
 *
 * <p>Chance is a pure function of seed and place in the text, so equal seeds give equal texts on any machine and in any order of work.
 *
 * @param temperature 0: always the likeliest token
 * @param topK 0: all
 * @param topP 1: all
 */
public record Sampling(double temperature, int topK, double topP, long seed) implements Serializable {
    /** Always the likeliest token. */
    public static final Sampling GREEDY = new Sampling(0, 0, 1, 0);

    private static final double UNIT = 0x1p-53;

    public Sampling {
        if (!(temperature >= 0) || topK < 0 || !(topP > 0 && topP <= 1)) {
            throw new BadInputException(
                    "Cannot sample with temperature %s, top k %d, top p %s: expected at least 0, at least 0, and above 0 up to 1"
                            .formatted(temperature, topK, topP));
        }
    }

    /** This sampling with a seed of its own for text {@code number} of many. */
    Sampling ofText(long number) {
        return new Sampling(temperature, topK, topP, SplitMix.mix(seed + SplitMix.STEP * (number + 1)));
    }

    /**
     * The token for {@code place} of the text.
     *
     * @param logits of each token of the vocabulary
     */
    int choose(float[] logits, int place) {
        return temperature == 0 ? likeliest(logits) : drawn(probabilities(logits), place);
    }

    /** The probability of each token. */
    double[] probabilities(float[] logits) {
        double least = topK == 0 || topK >= logits.length ? Double.NEGATIVE_INFINITY : kthLargest(logits);
        double largest = logits[likeliest(logits)];
        double[] weights = new double[logits.length];
        for (int id = 0; id < weights.length; id++) {
            weights[id] = logits[id] < least ? 0 : Math.exp((logits[id] - largest) / temperature);
        }

        if (topP < 1) {
            keepNucleus(weights);
        }

        double total = Arrays.stream(weights).sum();
        return Arrays.stream(weights).map(weight -> weight / total).toArray();
    }

    private double kthLargest(float[] logits) {
        float[] sorted = logits.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length - topK];
    }

    /** From the unlikeliest up, drops all that together stay within 1 - p; never the likeliest. */
    private void keepNucleus(double[] weights) {
        int[] rising = IntStream.range(0, weights.length)
                .filter(id -> weights[id] > 0)
                .boxed()
                .sorted(Comparator.comparingDouble(id -> weights[id]))
                .mapToInt(Integer::intValue)
                .toArray();
        double allowed = (1 - topP) * Arrays.stream(weights).sum();
        double sum = 0;
        for (int i = 0; i < rising.length - 1; i++) {
            sum += weights[rising[i]];
            if (sum > allowed) {
                return;
            }

            weights[rising[i]] = 0;
        }
    }

    private int drawn(double[] probabilities, int place) {
        double left = (SplitMix.mix(seed + SplitMix.STEP * (place + 1L)) >>> 11) * UNIT;
        int last = 0;
        for (int id = 0; id < probabilities.length; id++) {
            if (probabilities[id] > 0) {
                last = id;
                left -= probabilities[id];
            }

            if (left < 0) {
                return id;
            }
        }

        return last; // rounding left a crumb
    }

    private static int likeliest(float[] values) {
        int largest = 0;
        for (int i = 1; i < values.length; i++) {
            if (values[i] > values[largest]) {
                largest = i;
            }
        }

        return largest;
    }
}
