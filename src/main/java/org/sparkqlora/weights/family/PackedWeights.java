package org.sparkqlora.weights.family;

import java.util.List;
import java.util.OptionalLong;

/**
 * The weights that a checkpoint has in fewer than 16 bits, as its {@code quantization_config} says. A frozen base keeps them so.
 *
 * @param format of each
 * @param blockRows rows of a block that has a scale; 0 where a matrix has one scale
 * @param blockColumns columns of a block
 * @param plain modules that are stored as they are, by the beginning or the end of their names
 */
public record PackedWeights(Format format, int blockRows, int blockColumns, List<String> plain) {
    private static final String WEIGHT = ".weight";

    public PackedWeights {
        plain = List.copyOf(plain);
    }

    /** Names are those of {@code quant_method}. */
    public enum Format {
        /** A byte a weight, and scales in float32 at most: linear modules. */
        FP8,
        /** Half a byte a weight, and a byte for 32 of them: experts. */
        MXFP4
    }

    /** Bytes of the weight {@code name} of a linear module or an expert; empty where it is stored plainly. */
    public OptionalLong bytes(String name, long[] shape) {
        long rows = shape[0];
        long columns = shape[1];
        return switch (format) {
            case FP8 -> isPlain(name) ? OptionalLong.empty() : OptionalLong.of(rows * columns + scales(rows, columns));
            case MXFP4 ->
                name.contains(".experts.")
                        ? OptionalLong.of(rows * columns / 2 + rows * columns / 32)
                        : OptionalLong.empty();
        };
    }

    private long scales(long rows, long columns) {
        long blocks =
                blockRows == 0 ? 1 : (rows + blockRows - 1) / blockRows * ((columns + blockColumns - 1) / blockColumns);
        return blocks * Float.BYTES;
    }

    private boolean isPlain(String name) {
        String module = name.endsWith(WEIGHT) ? name.substring(0, name.length() - WEIGHT.length()) : name;
        return plain.stream().anyMatch(each -> module.startsWith(each) || module.endsWith(each));
    }
}
