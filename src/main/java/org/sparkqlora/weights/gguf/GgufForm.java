package org.sparkqlora.weights.gguf;

import java.util.Optional;
import java.util.function.LongUnaryOperator;
import java.util.regex.Pattern;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.weights.family.DeltaNetShape;
import org.sparkqlora.weights.family.ModelConfig;

/**
 * The two forms of a family's weights: rows of queries and keys interleaved or not, weights of norms counted from 0 or from 1, and of
 * the gated delta rule heads of values in two orders, and the decay or its logarithm.
 */
record GgufForm(GgufArchitecture architecture, int headSize, Optional<DeltaNetShape> delta) {
    private static final Pattern TURNED = Pattern.compile(".*\\.attn_[qk]\\..*");
    private static final Pattern BLOCK = Pattern.compile("^blk\\.\\d+\\.");
    private static final String OUTPUT = "ssm_out.weight";
    private static final String DECAY = "ssm_a";
    private static final String CONVOLUTION = "ssm_conv1d.weight";

    static GgufForm of(GgufArchitecture architecture, ModelConfig config) {
        return new GgufForm(architecture, config.headSize(), config.traits().deltaNet());
    }

    /** The shape that a tensor {@code name} of a GGUF file has. */
    static long[] shape(String name, long[] huggingFace) {
        return name.endsWith(CONVOLUTION) ? new long[] {huggingFace[0], huggingFace[2]} : huggingFace;
    }

    /** The numbers of a GGUF file's tensor {@code name} as Hugging Face has them. */
    FloatSource huggingFace(String name, long[] shape, FloatSource stored) {
        if (isShifted(name)) {
            return new ComputedFloats(stored, weight -> weight - 1);
        }

        if (isTurned(name)) {
            return rows(shape, stored, HeadOrder.apart(headSize));
        }

        FloatSource logarithm = name.endsWith(DECAY) ? new ComputedFloats(stored, decay -> Math.log(-decay)) : stored;
        return delta.map(sizes -> moved(name, shape, logarithm, sizes, HeadOrder.grouped(sizes)))
                .orElse(stored);
    }

    /** The numbers of what becomes the tensor {@code name} of a GGUF file as it has them. */
    FloatSource gguf(String name, long[] shape, FloatSource values) {
        if (isShifted(name)) {
            return new ComputedFloats(values, weight -> weight + 1);
        }

        FloatSource stored =
                name.endsWith(DECAY) ? new ComputedFloats(values, logarithm -> -Math.exp(logarithm)) : values;
        return inputs(name, outputs(name, shape, stored));
    }

    /** As {@link #gguf}, of a matrix of which only the outputs are those of the tensor: the B of a LoRA. */
    FloatSource outputs(String name, long[] shape, FloatSource values) {
        if (isTurned(name)) {
            return rows(shape, values, HeadOrder.interleaved(headSize));
        }

        return delta.filter(sizes -> !isOutput(name))
                .map(sizes -> moved(name, shape, values, sizes, HeadOrder.tiled(sizes)))
                .orElse(values);
    }

    /** As {@link #gguf}, of a matrix of which only the inputs are those of the tensor: the A of a LoRA. */
    FloatSource inputs(String name, FloatSource values) {
        return delta.filter(sizes -> isOutput(name))
                .map(sizes -> columns(values, sizes, HeadOrder.tiled(sizes)))
                .orElse(values);
    }

    private static FloatSource moved(
            String name, long[] shape, FloatSource values, DeltaNetShape sizes, LongUnaryOperator heads) {
        return switch (BLOCK.matcher(name).replaceFirst("")) {
            case "attn_qkv.weight", CONVOLUTION ->
                rows(shape, values, HeadOrder.rows(heads, 2 * sizes.keyWidth(), sizes.valueSize()));
            case "attn_gate.weight" -> rows(shape, values, HeadOrder.rows(heads, 0, sizes.valueSize()));
            case "ssm_beta.weight", "ssm_alpha.weight", "ssm_dt.bias", DECAY -> rows(shape, values, heads);
            case OUTPUT -> columns(values, sizes, heads);
            default -> values;
        };
    }

    private static boolean isOutput(String name) {
        return name.endsWith(OUTPUT);
    }

    private static FloatSource columns(FloatSource values, DeltaNetShape sizes, LongUnaryOperator heads) {
        return new MovedRows(values, sizes.valueSize(), HeadOrder.lines(heads, sizes.valueHeads()));
    }

    /** Hugging Face counts from 0 the weights of all norms but that of the gated delta rule. */
    private boolean isShifted(String name) {
        return architecture.shiftsNorms() && name.endsWith("norm.weight") && !name.endsWith("ssm_norm.weight");
    }

    private boolean isTurned(String name) {
        return architecture.interleavesHeads() && TURNED.matcher(name).matches();
    }

    private static FloatSource rows(long[] shape, FloatSource source, LongUnaryOperator origin) {
        int inputs = shape.length == 1 ? 1 : Math.toIntExact(shape[shape.length - 1]);
        return new MovedRows(source, inputs, origin);
    }

    /**
     * Numbers with rows of {@code width} in another order.
     *
     * @param source the numbers in the order that they have now
     * @param origin the row of the source that each row is
     */
    private record MovedRows(FloatSource source, int width, LongUnaryOperator origin) implements FloatSource {
        @Override
        public long length() {
            return source.length();
        }

        @Override
        public void read(long from, float[] target, int count) {
            float[] row = new float[width];
            for (int done = 0; done < count; ) {
                long at = from + done;
                source.read(origin.applyAsLong(at / width) * width, row, width);
                int skip = (int) (at % width);
                int taken = Math.min(width - skip, count - done);
                System.arraycopy(row, skip, target, done, taken);
                done += taken;
            }
        }
    }

    /** Orders of heads and of their rows that differ between Hugging Face and GGUF: which row there each row here is. */
    private static final class HeadOrder {
        private HeadOrder() {}

        /** GGUF's rows of a head, whose halves are interleaved: ggml's first way of rotation turns neighbours. */
        static LongUnaryOperator interleaved(int headSize) {
            return row -> row - row % headSize + row % headSize % 2 * (headSize / 2) + row % headSize / 2;
        }

        /** Hugging Face's rows of a head, whose halves follow one another. */
        static LongUnaryOperator apart(int headSize) {
            int half = headSize / 2;
            return row -> row - row % headSize + row % headSize % half * 2 + row % headSize / half;
        }

        /** GGUF's heads of values: the first of each key head, then the second of each. */
        static LongUnaryOperator tiled(DeltaNetShape shape) {
            int shared = shape.valueHeads() / shape.keyHeads();
            return head -> head % shape.keyHeads() * shared + head / shape.keyHeads();
        }

        /** Hugging Face's heads of values: those of the first key head, then those of the second. */
        static LongUnaryOperator grouped(DeltaNetShape shape) {
            int shared = shape.valueHeads() / shape.keyHeads();
            return head -> head % shared * shape.keyHeads() + head / shared;
        }

        /** Heads of {@code size} rows each, in the order of {@code heads}, behind {@code first} rows that stay. */
        static LongUnaryOperator rows(LongUnaryOperator heads, int first, int size) {
            return row ->
                    row < first ? row : first + heads.applyAsLong((row - first) / size) * size + (row - first) % size;
        }

        /** Heads within lines of {@code count} heads each. */
        static LongUnaryOperator lines(LongUnaryOperator heads, int count) {
            return head -> head - head % count + heads.applyAsLong(head % count);
        }
    }
}
