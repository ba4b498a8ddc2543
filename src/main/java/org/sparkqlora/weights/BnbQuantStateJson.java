package org.sparkqlora.weights;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import org.sparkqlora.input.PythonLiteral;
import org.sparkqlora.quant.FourBitCode;
import org.sparkqlora.weights.safetensors.FieldsJson;

/** The JSON of a bitsandbytes quantisation state; written byte for byte as Python's {@code json.dumps} does. */
final class BnbQuantStateJson {
    private static final String NESTED_TYPE = "float32";
    private static final int SMALLEST_BLOCK = 32;
    private static final int LARGEST_BLOCK = 4096;

    private BnbQuantStateJson() {}

    static BnbQuantState parse(String document, String text) {
        FieldsJson fields = FieldsJson.parse(document, text);
        return new BnbQuantState(
                code(fields),
                weightBlock(fields),
                fields.text("dtype"),
                shape(fields),
                fields.has("nested_blocksize") ? Optional.of(nesting(fields)) : Optional.empty());
    }

    static String write(BnbQuantState state) {
        String plain = String.format(
                Locale.ROOT,
                "{\"quant_type\": \"%s\", \"blocksize\": %d, \"dtype\": \"%s\", \"shape\": [%s]",
                state.code().optionName(),
                state.blockSize(),
                state.originalType(),
                Arrays.stream(state.shape()).mapToObj(Long::toString).collect(Collectors.joining(", ")));
        return plain + state.nesting().map(BnbQuantStateJson::nestingText).orElse("") + "}";
    }

    private static String nestingText(BnbQuantState.Nesting nesting) {
        return String.format(
                Locale.ROOT,
                ", \"nested_blocksize\": %d, \"nested_dtype\": \"%s\", \"nested_offset\": %s",
                nesting.blockSize(),
                NESTED_TYPE,
                PythonLiteral.number(nesting.offset()));
    }

    private static FourBitCode code(FieldsJson fields) {
        return switch (fields.text("quant_type")) {
            case "nf4" -> FourBitCode.NF4;
            case "fp4" -> FourBitCode.FP4;
            default ->
                throw fields.wrong("quant_type", "nf4 or fp4", fields.node().get("quant_type"));
        };
    }

    private static BnbQuantState.Nesting nesting(FieldsJson fields) {
        String type = fields.text("nested_dtype", NESTED_TYPE);
        if (!type.equals(NESTED_TYPE)) {
            throw fields.wrong("nested_dtype", NESTED_TYPE, fields.node().get("nested_dtype"));
        }

        return new BnbQuantState.Nesting(fields.count("nested_blocksize"), (float) fields.number("nested_offset", 0));
    }

    private static int weightBlock(FieldsJson fields) {
        int size = fields.count("blocksize");
        if (size < SMALLEST_BLOCK || size > LARGEST_BLOCK || Integer.bitCount(size) != 1) {
            throw fields.wrong(
                    "blocksize",
                    String.format(Locale.ROOT, "a power of two from %d to %d", SMALLEST_BLOCK, LARGEST_BLOCK),
                    fields.node().get("blocksize"));
        }

        return size;
    }

    private static long[] shape(FieldsJson fields) {
        JsonNode node = fields.node().path("shape");
        long[] shape = new long[node.size()];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = node.get(i).asLong();
        }

        if (shape.length == 0 || Arrays.stream(shape).anyMatch(size -> size < 1 || size > Integer.MAX_VALUE)) {
            throw fields.wrong("shape", "a list of sizes", node);
        }

        return shape;
    }
}
