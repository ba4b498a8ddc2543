package org.sparkqlora.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;
import org.sparkqlora.weights.safetensors.SafetensorsFile;
import org.sparkqlora.weights.safetensors.SafetensorsWriter;
import org.sparkqlora.weights.safetensors.StoredTensor;
import org.sparkqlora.weights.safetensors.StoredTensors;
import org.sparkqlora.weights.safetensors.StoredType;
import org.sparkqlora.weights.safetensors.TensorSpec;

/** Models in FP8 beside what transformers makes of them: the same numbers. */
class Float8WeightsTest {
    private static final Path GOLDENS = Path.of("src/test/resources/goldens/float8");

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({"tensors, model.language_model., model.", "blocks, model., model.", "experts, model., model."})
    void eachProjectionIsTransformersDequantisedOne(String form, String prefix, String replacement) {
        SafetensorsFile expected = SafetensorsFile.open(GOLDENS.resolve(form).resolve("expected.safetensors"));
        try (WeightFolder model = WeightFolder.open(GOLDENS.resolve(form).resolve("base"));
                Workers workers = new Workers(2)) {
            model.checkShapes();
            model.checkFinite(workers);
            assertThat(expected.names()).hasSizeGreaterThan(7);
            for (String name : expected.names()) {
                StoredTensor found = model.tensor(name.replaceFirst("^" + prefix, replacement));

                assertThat(found.type()).isEqualTo(StoredType.BF16);
                assertThat(floats(found)).as(name).isEqualTo(floats(expected.tensor(name)));
            }

            assertThat(model.names()).noneMatch(name -> name.endsWith("_scale") || name.endsWith("_scale_inv"));
        }
    }

    @Test
    void piecesAreThoseOfTheWhole() {
        try (WeightFolder model = WeightFolder.open(GOLDENS.resolve("blocks/base"))) {
            StoredTensor down = model.tensor("model.layers.0.mlp.down_proj.weight");
            float[] whole = floats(down);
            for (int from : new int[] {0, 5, 15, 300}) {
                float[] piece = new float[77];
                down.asFloats().read(from, piece, piece.length);

                assertThat(piece).isEqualTo(Arrays.copyOfRange(whole, from, from + piece.length));
            }
        }
    }

    @Test
    void codesAreThoseOfE4m3() {
        write(2, 4, 2.0f, 0x00, 0x01, 0x07, 0x08, 0x38, 0x7E, 0x80, 0xFE);

        // the smallest, the largest below the normal numbers, the smallest of these, one, and the largest
        assertThat(floats(joined())).containsExactly(0, 0x1p-8f, 7 * 0x1p-8f, 0x1p-5f, 2, 896, -0f, -896);
    }

    @Test
    void aCodeThatIsNoNumberIsRefused() {
        write(1, 2, 1.0f, 0x01, 0x7F);

        try (Workers workers = new Workers(1)) {
            assertThatThrownBy(() -> FiniteCheck.check(joined(), workers))
                    .isInstanceOf(InvalidWeightsException.class)
                    .hasMessage("Cannot use weight w of %s: expected a finite number at index 1, found NaN"
                            .formatted(folder.resolve("model.safetensors")));
        }
    }

    @Test
    void scalesThatAreNotThereOrDoNotFitAreRefused() {
        Path file = folder.resolve("model.safetensors");
        write(2, 3, new TensorSpec("w_scale_inv", StoredType.F32, new long[] {2, 2}), new byte[16], new byte[6]);
        assertThatThrownBy(this::joined)
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot read w of %s as FP8: expected a matrix and F32, F16 or BF16 scales that divide it evenly, found shape [2, 3], and scales of shape [2, 2] in F32"
                                .formatted(file));

        write(2, 3, new TensorSpec("other", StoredType.F32, new long[] {1}), new byte[4], new byte[6]);
        assertThatThrownBy(this::joined)
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage("Cannot read w of %s: expected its scales, w_scale_inv, found none".formatted(file));
    }

    private StoredTensor joined() {
        return Float8Weights.joined(StoredTensors.open(folder)).tensor("w");
    }

    private void write(int rows, int columns, float scale, int... codes) {
        byte[] bytes = new byte[codes.length];
        for (int i = 0; i < codes.length; i++) {
            bytes[i] = (byte) codes[i];
        }

        byte[] scales = ByteBuffer.allocate(Float.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putFloat(scale)
                .array();
        write(rows, columns, new TensorSpec("w_scale_inv", StoredType.F32, new long[] {}), scales, bytes);
    }

    private void write(int rows, int columns, TensorSpec second, byte[] secondBytes, byte[] codes) {
        TensorSpec weight = TensorSpec.of("w", StoredType.F8_E4M3, rows, columns);
        try (SafetensorsWriter writer = SafetensorsWriter.create(
                folder.resolve("model.safetensors"), SafetensorsWriter.PYTORCH, List.of(weight, second))) {
            writer.write("w", ByteBuffer.wrap(codes));
            writer.write(second.name(), ByteBuffer.wrap(secondBytes));
            writer.commit();
        }
    }

    private static float[] floats(StoredTensor tensor) {
        FloatSource source = tensor.asFloats();
        float[] values = new float[(int) source.length()];
        source.read(0, values, values.length);
        return values;
    }
}
