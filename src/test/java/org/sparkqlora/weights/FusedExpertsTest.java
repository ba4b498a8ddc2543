package org.sparkqlora.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.family.ExpertMatrix;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;
import org.sparkqlora.weights.safetensors.SafetensorsWriter;
import org.sparkqlora.weights.safetensors.StoredTensor;
import org.sparkqlora.weights.safetensors.StoredTensors;
import org.sparkqlora.weights.safetensors.StoredType;
import org.sparkqlora.weights.safetensors.TensorSpec;

/** Checkpoints that hold the experts of a layer in one tensor are read as those that hold them apart. */
class FusedExpertsTest {
    private static final Path BASE = Path.of("src/test/resources/goldens/models/qwen3_moe-sparse/base");

    /** Experts of width 24, of an input of 32. */
    private static final Path GPT_OSS = Path.of("src/test/resources/goldens/models/gpt_oss/base");

    @TempDir
    private Path folder;

    @Test
    void fusedExpertsAreReadAsExpertsApart() throws IOException {
        WeightFolder apart = WeightFolder.open(BASE);
        write(apart, 0);

        WeightFolder fused = WeightFolder.open(folder);

        assertThat(fused.names()).containsExactlyInAnyOrderElementsOf(apart.names());
        fused.checkShapes();
        for (String name : DecoderTensors.of(apart.config()).shapes().keySet()) {
            assertThat(fused.tensor(name).buffer())
                    .as(name)
                    .isEqualTo(apart.tensor(name).buffer());
        }
    }

    @Test
    void fusedExpertsOfAnotherNumberAreRefused() throws IOException {
        write(WeightFolder.open(BASE), 1);

        assertThatThrownBy(() -> WeightFolder.open(folder))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot read model.layers.1.mlp.experts.down_proj of %s: expected shape [6, 32, 20], found [5, 32, 20]"
                                .formatted(folder.resolve("model.safetensors")));
    }

    @Test
    void interleavedExpertsAreReadAsExpertsApart() {
        try (WeightFolder model = WeightFolder.open(GPT_OSS)) {
            StoredTensor gateUp = StoredTensors.open(GPT_OSS).tensor("model.layers.1.mlp.experts.gate_up_proj");
            float[] whole = floats(gateUp);
            float[] up = floats(model.tensor(ExpertMatrix.UP.weight(1, 2)));

            model.checkShapes();
            for (int output = 0; output < 24; output++) {
                for (int input = 0; input < 32; input++) {
                    assertThat(up[output * 32 + input]).isEqualTo(whole[(2 * 32 + input) * 48 + 2 * output + 1]);
                }
            }
        }
    }

    @Test
    void piecesOfAnInterleavedMatrixAreThoseOfTheWhole() {
        try (WeightFolder model = WeightFolder.open(GPT_OSS)) {
            StoredTensor down = model.tensor(ExpertMatrix.DOWN.weight(0, 3));
            float[] whole = floats(down);

            for (int from : new int[] {0, 5, 24, 700}) {
                float[] piece = new float[68];
                down.asFloats().read(from, piece, piece.length);
                assertThat(piece).isEqualTo(Arrays.copyOfRange(whole, from, from + piece.length));
            }
        }
    }

    private static float[] floats(StoredTensor tensor) {
        float[] values = new float[(int) tensor.elements()];
        tensor.asFloats().read(0, values, values.length);
        return values;
    }

    /** Writes {@code source} with fused experts, the last {@code without} of them left out. */
    private void write(WeightFolder source, int without) throws IOException {
        Files.copy(BASE.resolve("config.json"), folder.resolve("config.json"));
        Map<TensorSpec, ByteBuffer> tensors = new LinkedHashMap<>();
        for (int layer = 0; layer < source.config().layers(); layer++) {
            if (source.config().isMixture(layer)) {
                int experts = source.config().mixture().experts() - without;
                String path = ExpertMatrix.experts(layer);
                int width = source.config().mixture().width();
                int hidden = source.config().hiddenSize();
                ByteBuffer gateUp = room(2L * experts * width * hidden);
                ByteBuffer down = room((long) experts * width * hidden);
                for (int expert = 0; expert < experts; expert++) {
                    gateUp.put(source.tensor(ExpertMatrix.GATE.weight(layer, expert))
                            .buffer());
                    gateUp.put(
                            source.tensor(ExpertMatrix.UP.weight(layer, expert)).buffer());
                    down.put(source.tensor(ExpertMatrix.DOWN.weight(layer, expert))
                            .buffer());
                }

                tensors.put(
                        TensorSpec.of(path + ".gate_up_proj", StoredType.F32, experts, 2L * width, hidden),
                        gateUp.flip());
                tensors.put(TensorSpec.of(path + ".down_proj", StoredType.F32, experts, hidden, width), down.flip());
            }
        }

        source.names().stream()
                .filter(name -> !name.contains(".experts."))
                .forEach(name -> tensors.put(
                        source.tensor(name).spec(), source.tensor(name).buffer()));
        try (SafetensorsWriter writer = SafetensorsWriter.create(
                folder.resolve("model.safetensors"),
                SafetensorsWriter.PYTORCH,
                tensors.keySet().stream().toList())) {
            tensors.forEach((spec, values) -> writer.write(spec.name(), values));
            writer.commit();
        }
    }

    private static ByteBuffer room(long elements) {
        return ByteBuffer.allocate(Math.toIntExact(elements * Float.BYTES)).order(ByteOrder.LITTLE_ENDIAN);
    }
}
