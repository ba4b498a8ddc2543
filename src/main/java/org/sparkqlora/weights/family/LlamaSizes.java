package org.sparkqlora.weights.family;

import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.sparkqlora.input.BadInputException;

/**
 * Shapes of Llama models by their number of parameters: those that were published, and guesses between and beyond them.
 *
 * <p>A guess takes width and depth from the published sizes around it, as straight lines through log(width), log(depth) over
 * log(parameters), and gives the feed-forward part the width that makes the count right:
 * {@code parameters = 2 V h + h + L (4 h^2 + 2 h + 3 h f)}.
 */
public final class LlamaSizes {
    // V vocabulary, h width of the residual stream, L layers, f width of the feed-forward part

    private static final int VOCABULARY = 32_000;
    private static final int HEAD_SIZE = 128;

    /** Widths of the feed-forward part are made a multiple of this. */
    private static final int GRAIN = 16;

    private static final double SMALLEST = 0.5e9;
    private static final double LARGEST = 500e9;

    /** A count this near to that of a published size means that size: 33B is the model that others call 30B. */
    private static final double SAME = 0.02;

    /** @param name the size in its name, in parameters */
    private record Published(double name, ModelConfig config) {
        double parameters() {
            return DecoderTensors.of(config).elements();
        }
    }

    private static final List<Published> PUBLISHED = List.of(
            new Published(1.1e9, llama(2048, 5632, 22, 32, 4)),
            new Published(3e9, llama(3200, 8640, 26, 32, 32)),
            new Published(7e9, llama(4096, 11_008, 32, 32, 32)),
            new Published(13e9, llama(5120, 13_824, 40, 40, 40)),
            new Published(30e9, llama(6656, 17_920, 60, 52, 52)),
            new Published(65e9, llama(8192, 22_016, 80, 64, 64)),
            new Published(70e9, llama(8192, 28_672, 80, 64, 8)));

    private LlamaSizes() {}

    /** The shape of a model of about {@code parameters} parameters. */
    public static ModelConfig of(double parameters) {
        if (!(parameters >= SMALLEST && parameters <= LARGEST)) {
            throw new BadInputException(
                    "Cannot guess the shape of a model of %sB parameters: expected from 0.5B to 500B"
                            .formatted(parameters / 1e9));
        }

        return PUBLISHED.stream()
                .filter(size -> size.name() == parameters || Math.abs(size.parameters() / parameters - 1) < SAME)
                .min(Comparator.comparingDouble(size -> Math.abs(size.name() - parameters)))
                .map(Published::config)
                .orElseGet(() -> guess(parameters));
    }

    private static ModelConfig guess(double parameters) {
        Published below = PUBLISHED.get(neighbour(parameters));
        Published above = PUBLISHED.get(neighbour(parameters) + 1);
        double at = Math.log(parameters / below.parameters()) / Math.log(above.parameters() / below.parameters());
        int heads = (int)
                Math.round(between(below.config().hiddenSize(), above.config().hiddenSize(), at) / HEAD_SIZE);
        int layers =
                (int) Math.round(between(below.config().layers(), above.config().layers(), at));
        int hidden = heads * HEAD_SIZE;
        return llama(hidden, feedForward(parameters, hidden, layers), layers, heads, heads);
    }

    /** The lower of the two published sizes that a guess goes by; the 70B, as wide and deep as the 65B, is none. */
    private static int neighbour(double parameters) {
        int last = PUBLISHED.size() - 3;
        int index = 0;
        while (index < last && PUBLISHED.get(index + 1).parameters() < parameters) {
            index++;
        }

        return index;
    }

    private static double between(double below, double above, double at) {
        return below * Math.pow(above / below, at);
    }

    private static int feedForward(double parameters, int hidden, int layers) {
        double layer = (parameters - 2.0 * VOCABULARY * hidden - hidden) / layers;
        double width = (layer - 4.0 * hidden * hidden - 2.0 * hidden) / (3.0 * hidden);
        return (int) Math.max(1, Math.round(width / GRAIN)) * GRAIN;
    }

    private static ModelConfig llama(int hidden, int intermediate, int layers, int heads, int keyValueHeads) {
        return new ModelConfig(
                "llama",
                VOCABULARY,
                hidden,
                intermediate,
                layers,
                heads,
                keyValueHeads,
                hidden / heads,
                1e-5,
                0.02,
                false,
                4096,
                "bfloat16",
                List.of(2),
                OptionalInt.of(1),
                OptionalInt.empty(),
                Optional.empty(),
                DecoderTraits.builder().build(),
                Collections.nCopies(
                        layers,
                        new LayerTraits(
                                OptionalInt.empty(),
                                Optional.of(new RotarySpec(10_000, new RotaryScaling.Unscaled())))));
    }
}
