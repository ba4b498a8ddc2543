package org.sparkqlora.weights;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.sparkqlora.quant.BlockScales;
import org.sparkqlora.quant.EightBitCodec;
import org.sparkqlora.quant.FourBitCode;
import org.sparkqlora.quant.FourBitTensor;
import org.sparkqlora.quant.NestedScales;
import org.sparkqlora.quant.PlainScales;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;
import org.sparkqlora.weights.safetensors.StoredTensor;
import org.sparkqlora.weights.safetensors.StoredType;
import org.sparkqlora.weights.safetensors.TensorSource;

/**
 * Reads a weight that bitsandbytes stored in four bits: the packed codes under the weight's own name, as bytes or the same
 * bytes seen as another type, and its scales and state under longer names.
 */
final class BnbTensor {
    static final String ABSMAX = ".absmax";
    static final String QUANT_MAP = ".quant_map";
    static final String NESTED_ABSMAX = ".nested_absmax";
    static final String NESTED_QUANT_MAP = ".nested_quant_map";
    private static final String QUANT_STATE = ".quant_state.bitsandbytes__";

    /** Builds of the library differ in the last bits of the table. */
    private static final float MAP_TOLERANCE = 1e-5f;

    private BnbTensor() {}

    static String stateName(String weight, FourBitCode code) {
        return weight + QUANT_STATE + code.optionName();
    }

    /** Whether {@code name} is one of the tensors that lie beside a 4-bit weight. */
    static boolean isCompanion(String name) {
        return name.contains(QUANT_STATE)
                || Stream.of(ABSMAX, QUANT_MAP, NESTED_ABSMAX, NESTED_QUANT_MAP).anyMatch(name::endsWith);
    }

    /** The state of {@code weight}, or nothing when the weight is stored as it is. */
    static Optional<BnbQuantState> state(TensorSource tensors, String weight) {
        List<String> names = Stream.of(FourBitCode.values())
                .map(code -> stateName(weight, code))
                .filter(tensors::has)
                .toList();
        if (names.isEmpty()) {
            return Optional.empty();
        }

        if (names.size() > 1) {
            throw new InvalidWeightsException(
                    "Cannot read 4-bit weight %s: expected one quantisation state, found %s".formatted(weight, names));
        }

        StoredTensor tensor = tensors.tensor(names.get(0));
        String text = StandardCharsets.UTF_8.decode(tensor.buffer()).toString();
        return Optional.of(BnbQuantStateJson.parse("%s of %s".formatted(tensor.name(), tensor.file()), text));
    }

    /** The weight with its packed codes mapped. */
    static FourBitTensor read(TensorSource tensors, String weight, BnbQuantState state) {
        requireCode(tensors.tensor(weight + QUANT_MAP), state.code());
        BlockScales scales = state.nesting()
                .map(nesting -> nestedScales(tensors, weight, state, nesting))
                .orElseGet(() -> new PlainScales(floats(tensors.tensor(weight + ABSMAX), state.blocks())));
        ByteBuffer packed = packed(tensors.tensor(weight), state);
        return new FourBitTensor(state.code(), state.blockSize(), state.elements(), packed, scales);
    }

    private static ByteBuffer packed(StoredTensor tensor, BnbQuantState state) {
        long expected = (state.elements() + 1) / 2;
        long spare = tensor.byteSize() - expected;
        if (spare < 0 || spare >= tensor.type().bytes()) {
            throw wrong(
                    tensor,
                    String.format(Locale.ROOT, "%d bytes for %d codes", expected, state.elements()),
                    tensor.byteSize());
        }

        return tensor.buffer().slice(0, Math.toIntExact(expected));
    }

    private static BlockScales nestedScales(
            TensorSource tensors, String weight, BnbQuantState state, BnbQuantState.Nesting nesting) {
        StoredTensor codes = tensors.tensor(weight + ABSMAX);
        if (codes.type() != StoredType.U8 || codes.elements() != state.blocks()) {
            throw wrong(codes, String.format(Locale.ROOT, "%d scales of type U8", state.blocks()), codes.spec());
        }

        long outerBlocks = (state.blocks() + nesting.blockSize() - 1) / nesting.blockSize();
        return new NestedScales(
                codes.buffer(),
                floats(tensors.tensor(weight + NESTED_QUANT_MAP), EightBitCodec.LEVELS),
                floats(tensors.tensor(weight + NESTED_ABSMAX), outerBlocks),
                nesting.blockSize(),
                nesting.offset());
    }

    private static void requireCode(StoredTensor map, FourBitCode code) {
        float[] expected = code.levels();
        float[] found = floats(map, expected.length);
        for (int i = 0; i < expected.length; i++) {
            if (!(Math.abs(found[i] - expected[i]) <= MAP_TOLERANCE)) {
                throw wrong(map, String.format(Locale.ROOT, "%s for code %d of %s", expected[i], i, code), found[i]);
            }
        }
    }

    private static float[] floats(StoredTensor tensor, long count) {
        if (tensor.type() != StoredType.F32 || tensor.elements() != count) {
            throw wrong(tensor, String.format(Locale.ROOT, "%d numbers of type F32", count), tensor.spec());
        }

        float[] values = new float[Math.toIntExact(count)];
        tensor.buffer().asFloatBuffer().get(values);
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                throw wrong(tensor, String.format(Locale.ROOT, "a finite number %d", i), values[i]);
            }
        }

        return values;
    }

    private static InvalidWeightsException wrong(StoredTensor tensor, String expected, Object found) {
        return new InvalidWeightsException("Cannot read tensor %s of %s: expected %s, found %s"
                .formatted(tensor.name(), tensor.file(), expected, found));
    }
}
