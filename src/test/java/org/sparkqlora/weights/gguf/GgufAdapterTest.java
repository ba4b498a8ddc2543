package org.sparkqlora.weights.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.ModelConfigJson;

class GgufAdapterTest {
    /** B is rounded once more where it is multiplied. */
    private static final float TOLERANCE = 1e-6f;

    private static final int INPUTS = 32;
    private static final int OUTPUTS = 40;

    @TempDir
    Path temporary;

    /** A server adds alpha / rank * B A, whatever the adapter's own rule was. */
    @ParameterizedTest(name = "rank {0}, scale {1}, alpha {2}")
    @CsvSource({"4, 2, 8", "4, 4, 16", "8, 2, 8", "3, 0.7, 16", "4, 8, 16"})
    void whatAServerAddsIsWhatWasTrained(int rank, double scale, double alpha) throws IOException {
        float[] a = draw(rank * INPUTS);
        float[] b = draw(OUTPUTS * rank);
        GgufAdapter.Term term = new GgufAdapter.Term(
                "model.layers.1.mlp.up_proj.weight",
                rank,
                INPUTS,
                OUTPUTS,
                scale,
                FloatSource.of(a),
                FloatSource.of(b));

        GgufFile file = written(term, alpha);

        double added = file.metadata().number("adapter.lora.alpha", 0) / rank;
        float[] storedA = floats(file, "blk.1.ffn_up.weight.lora_a");
        float[] storedB = floats(file, "blk.1.ffn_up.weight.lora_b");
        assertThat(product(storedB, storedA, rank, added))
                .containsExactly(product(b, a, rank, scale), offset(TOLERANCE));
        assertThat(storedA).containsExactly(a);
    }

    @Test
    void aScaleOfTheFileLeavesBAsItIs() throws IOException {
        float[] b = draw(OUTPUTS * 3);
        GgufAdapter.Term term = new GgufAdapter.Term(
                "model.layers.0.mlp.up_proj.weight",
                3,
                INPUTS,
                OUTPUTS,
                7 / 3.0,
                FloatSource.of(draw(3 * INPUTS)),
                FloatSource.of(b));

        assertThat(floats(written(term, 7), "blk.0.ffn_up.weight.lora_b")).containsExactly(b);
    }

    @Test
    void mixedTypesAreOfModels() {
        assertThatThrownBy(() -> GgufAdapter.of(config(), List.of(), 1, GgufOutType.Q4_K_M, "a", Optional.empty()))
                .isInstanceOf(BadInputException.class)
                .hasMessage("Cannot export an adapter as q4_k_m: expected f32, f16, bf16 or q8_0");
    }

    private GgufFile written(GgufAdapter.Term term, double alpha) throws IOException {
        GgufExport adapter = GgufAdapter.of(config(), List.of(term), alpha, GgufOutType.F32, "tuned", Optional.empty());
        Path file = temporary.resolve(adapter.fileName());
        try (Workers workers = new Workers(1);
                OutputStream out = Files.newOutputStream(file)) {
            adapter.write(out, workers);
        }

        return GgufFile.open(file);
    }

    private static ModelConfig config() {
        return ModelConfigJson.read(Path.of("src/test/resources/goldens/models/rotary-linear/base/config.json"));
    }

    private static float[] floats(GgufFile file, String name) {
        GgufTensor tensor = Objects.requireNonNull(file.tensors().get(name), name);
        float[] values = new float[(int) tensor.elements()];
        tensor.asFloats().read(0, values, values.length);
        return values;
    }

    private static float[] product(float[] b, float[] a, int rank, double scale) {
        float[] product = new float[OUTPUTS * INPUTS];
        for (int i = 0; i < product.length; i++) {
            double sum = 0;
            for (int r = 0; r < rank; r++) {
                sum += (double) b[i / INPUTS * rank + r] * a[r * INPUTS + i % INPUTS];
            }

            product[i] = (float) (scale * sum);
        }

        return product;
    }

    private static float[] draw(int count) {
        SplittableRandom random = new SplittableRandom(count);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextDouble(-0.2, 0.2);
        }

        return values;
    }
}
