package org.sparkqlora.run.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.sparkqlora.command.demo.DemoModel;
import org.sparkqlora.quant.FourBitCode;
import org.sparkqlora.quant.QuantSpec;

class ModelWeightsTest {
    private static final String NAME = "model.layers.0.self_attn.q_proj.weight";
    private static final int ELEMENTS = 128 * 128;
    private static final int BLOCK = 64;

    @TempDir
    Path folder;

    @BeforeEach
    void writeModel() {
        DemoModel.write(folder, 7);
    }

    @Test
    void aWeightIsGivenByNameWithItsShape() {
        try (ModelWeights weights = ModelWeights.open(folder.toString())) {
            assertThat(weights.names()).contains(NAME, "model.embed_tokens.weight");
            assertThat(weights.shape(NAME)).containsExactly(128L, 128L);
            assertThat(floats(weights.values(NAME)).remaining()).isEqualTo(ELEMENTS);
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatIsRestoredIsLevelTimesScale(FourBitCode code) {
        try (ModelWeights weights = ModelWeights.open(folder.toString())) {
            FourBitWeight quantized = weights.quantized(NAME, new QuantSpec(code, BLOCK, true));

            FloatBuffer levels = floats(quantized.levels());
            FloatBuffer scales = floats(quantized.scales());
            FloatBuffer restored = floats(quantized.restored());
            byte[] codes = quantized.codes();
            assertThat(codes).hasSize(ELEMENTS);
            assertThat(scales.remaining()).isEqualTo(ELEMENTS / BLOCK);
            for (int i = 0; i < ELEMENTS; i++) {
                assertThat(restored.get(i)).isEqualTo(levels.get(codes[i]) * scales.get(i / BLOCK));
            }
        }
    }

    @Test
    void theLargestOfABlockIsItsScale() {
        try (ModelWeights weights = ModelWeights.open(folder.toString())) {
            FloatBuffer values = floats(weights.values(NAME));
            FourBitWeight quantized = weights.quantized(NAME, new QuantSpec(FourBitCode.NF4, BLOCK, false));

            FloatBuffer scales = floats(quantized.scales());
            for (int block = 0; block < scales.remaining(); block++) {
                float largest = 0;
                for (int i = 0; i < BLOCK; i++) {
                    largest = Math.max(largest, Math.abs(values.get(block * BLOCK + i)));
                }

                assertThat(scales.get(block)).isEqualTo(largest);
            }

            assertThat(quantized.byteSize()).isEqualTo(ELEMENTS / 2 + 4 * (ELEMENTS / BLOCK));
        }
    }

    @Test
    void aNameThatIsNotThereIsRefused() {
        try (ModelWeights weights = ModelWeights.open(folder.toString())) {
            assertThatThrownBy(() -> weights.values("q_proj"))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageMatching("Cannot find weight q_proj in .*: it has 20 others, such as model\\..*");
        }
    }

    @Test
    void aModelThatIsNotThereIsRefused() {
        assertThatThrownBy(() -> ModelWeights.open(folder.resolve("none").toString()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("expected a folder or a .gguf file, found nothing");
    }

    private static FloatBuffer floats(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
    }
}
