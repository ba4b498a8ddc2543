package org.sparkqlora.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.weights.family.ExpertMatrix;
import org.sparkqlora.weights.family.ExpertsTogether;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.ModelConfigJson;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;
import org.sparkqlora.weights.safetensors.StoredTensor;
import org.sparkqlora.weights.safetensors.StoredTensors;
import org.sparkqlora.weights.safetensors.StoredType;
import org.sparkqlora.weights.safetensors.TensorSpec;

/** Experts in MXFP4, of width 32, of an input of 64. */
class MicroscaledExpertsTest {
    private static final Path BASE = Path.of("src/test/resources/goldens/models/gpt_oss-mxfp4/base");
    private static final String GATE_UP = "model.layers.1.mlp.experts.gate_up_proj";

    /** Of E2M1, without signs. */
    private static final double[] VALUES = {0, 0.5, 1, 1.5, 2, 3, 4, 6};

    @TempDir
    private Path folder;

    @BeforeEach
    void copy() throws IOException {
        try (Stream<Path> files = Files.list(BASE)) {
            for (Path file : files.toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
    }

    @Test
    void aMatrixHasEverySecondRowOfTheBlocks() {
        try (WeightFolder model = WeightFolder.open(folder)) {
            StoredTensors stored = StoredTensors.open(folder);
            StoredTensor blocks = stored.tensor(GATE_UP + "_blocks");
            StoredTensor scales = stored.tensor(GATE_UP + "_scales");
            StoredTensor up = model.tensor(ExpertMatrix.UP.weight(1, 2));
            float[] found = floats(up.asFloats());

            model.checkShapes();
            assertThat(model.names()).noneMatch(name -> name.endsWith("_scales") || name.endsWith("_blocks"));
            assertThat(up.type()).isEqualTo(StoredType.F32); // as biases are
            for (int i = 0; i < found.length; i++) {
                int at = (2 * 64 + 2 * (i / 64) + 1) * 64 + i % 64; // behind two experts, and behind its gate
                int code = blocks.buffer().get(at / 2) >> 4 * (at % 2) & 0xF;
                double scale = Math.pow(2, (scales.buffer().get(at / 32) & 0xFF) - 127);
                assertThat((double) found[i]).isEqualTo((code < 8 ? 1 : -1) * VALUES[code % 8] * scale);
            }
        }
    }

    @Test
    void piecesAreThoseOfTheWhole() {
        try (WeightFolder model = WeightFolder.open(folder)) {
            FloatSource down = model.tensor(ExpertMatrix.DOWN.weight(0, 3)).asFloats();
            float[] whole = floats(down);

            for (int from : new int[] {0, 5, 31, 700}) {
                float[] piece = new float[77];
                down.read(from, piece, piece.length);
                assertThat(piece).isEqualTo(Arrays.copyOfRange(whole, from, from + piece.length));
            }
        }
    }

    @Test
    void aScaleThatIsNoNumberIsRefused() throws IOException {
        StoredTensor scales = StoredTensors.open(folder).tensor(GATE_UP + "_scales");
        try (RandomAccessFile file = new RandomAccessFile(scales.file().toFile(), "rw")) {
            file.seek(scales.position() + 2 * 64 * 2 + 7); // the second block of an up row
            file.write(0xFF);
        }

        try (WeightFolder model = WeightFolder.open(folder);
                Workers workers = new Workers(2)) {
            assertThatThrownBy(() -> model.checkFinite(workers))
                    .isInstanceOf(InvalidWeightsException.class)
                    .hasMessage(
                            "Cannot use weight model.layers.1.mlp.experts.2.up_proj.weight of %s: expected a finite number at index 96, found NaN"
                                    .formatted(scales.file()));
        }
    }

    @Test
    void expertsOfAnotherShapeAreRefused() throws IOException {
        Path config = folder.resolve("config.json");
        Files.writeString(
                config, Files.readString(config).replace("\"intermediate_size\": 32", "\"intermediate_size\": 64"));

        assertThatThrownBy(() -> WeightFolder.open(folder))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot read model.layers.0.mlp.experts.down_proj_blocks of %s: expected shape [4, 64, 2, 16], found [4, 64, 1, 16]"
                                .formatted(folder.resolve("model.safetensors")));
    }

    @Test
    void whatIsReadApartIsWrittenTogether() {
        Path interleaved = Path.of("src/test/resources/goldens/models/gpt_oss-experts/base");
        ModelConfig config = ModelConfigJson.read(interleaved.resolve("config.json"));
        ExpertsTogether together = new ExpertsTogether(config);
        try (WeightFolder model = WeightFolder.open(interleaved)) {
            for (String name : new String[] {"gate_up_proj", "down_proj"}) {
                StoredTensor stored = StoredTensors.open(interleaved).tensor("model.layers.2.mlp.experts." + name);
                Optional<FloatSource> joined = together.floats(
                        stored.name(), weight -> model.tensor(weight).asFloats());

                assertThat(floats(joined.orElseThrow())).isEqualTo(floats(stored.asFloats()));
            }

            TensorSpec apart = model.tensor(ExpertMatrix.UP.weight(2, 5)).spec();
            assertThat(together.written(apart))
                    .isEqualTo(TensorSpec.of("model.layers.2.mlp.experts.gate_up_proj", StoredType.F32, 8, 48, 40));
            TensorSpec bias = TensorSpec.of("model.layers.2.mlp.experts.down_proj_bias", StoredType.F32, 8, 48);
            assertThat(together.written(bias)).isEqualTo(bias);
            assertThat(together.floats(bias.name(), weight -> FloatSource.of())).isEmpty();
        }
    }

    private static float[] floats(FloatSource source) {
        float[] values = new float[(int) source.length()];
        source.read(0, values, values.length);
        return values;
    }
}
