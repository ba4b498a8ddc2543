package org.sparkqlora.model.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.model.GoldenModel;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.safetensors.SafetensorsFile;

class AdapterMergeTest {
    /** The bound of the goldens' README: the reference rounds B A to float32 before it adds. */
    private static final float TOLERANCE = 1e-6f;

    private final Workers workers = new Workers(2);

    @TempDir
    private Path temporary;

    @AfterEach
    void stopWorkers() {
        workers.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "llama-tied",
                "llama-tied/variants/rslora",
                "llama-tied/variants/dora",
                "llama-tied/variants/qv",
                "llama-tied/variants/patterns"
            })
    void givesTheWeightsThatPeftMerges(String name) {
        GoldenModel golden = new GoldenModel(name);
        WeightFolder base = golden.weights(GoldenModel.Mode.LORA, temporary);
        AdapterMerge merge = merge(golden, base);
        FlatVector adapter = golden.adapter(merge.parameters());
        SafetensorsFile expected = golden.merged();

        assertThat(base.names().stream().filter(merge::has)).containsExactlyInAnyOrderElementsOf(expected.names());
        for (String weight : expected.names()) {
            float[] values = all(merge.merged(weight, base.tensor(weight).asFloats(), adapter, workers));
            assertThat(values).containsExactly(all(expected.tensor(weight).asFloats()), offset(TOLERANCE));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 63, 65, 1000})
    void isReadInAnyPieces(int piece) {
        GoldenModel golden = new GoldenModel("llama-tied/variants/dora");
        WeightFolder base = golden.weights(GoldenModel.Mode.LORA, temporary);
        AdapterMerge merge = merge(golden, base);
        FlatVector adapter = golden.adapter(merge.parameters());
        String weight = "model.layers.1.mlp.down_proj.weight";
        FloatSource merged = merge.merged(weight, base.tensor(weight).asFloats(), adapter, workers);

        float[] whole = all(merged);
        float[] part = new float[piece];
        for (int from = 0; from + piece <= whole.length; from += piece) {
            merged.read(from, part, piece);
            assertThat(part).containsExactly(Arrays.copyOfRange(whole, from, from + piece));
        }
    }

    @Test
    void leavesTheBaseAloneWhereTheUpFactorIsZero() {
        GoldenModel golden = new GoldenModel("llama-tied");
        WeightFolder base = golden.weights(GoldenModel.Mode.LORA, temporary);
        AdapterMerge merge = merge(golden, base);
        FlatVector nothing = FlatVector.zeros(merge.parameters().size());
        String weight = "model.layers.0.self_attn.q_proj.weight";
        FloatSource stored = base.tensor(weight).asFloats();

        assertThat(all(merge.merged(weight, stored, nothing, workers))).containsExactly(all(stored));
    }

    @Test
    void refusesAWeightWithoutAdapter() {
        GoldenModel golden = new GoldenModel("llama-tied/variants/qv");
        WeightFolder base = golden.weights(GoldenModel.Mode.LORA, temporary);
        AdapterMerge merge = merge(golden, base);
        FlatVector adapter = golden.adapter(merge.parameters());
        String weight = "model.layers.0.mlp.up_proj.weight";
        FloatSource stored = base.tensor(weight).asFloats();

        assertThat(merge.has(weight)).isFalse();
        assertThatThrownBy(() -> merge.merged(weight, stored, adapter, workers))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot merge weight model.layers.0.mlp.up_proj.weight: it carries no adapter");
    }

    private static AdapterMerge merge(GoldenModel golden, WeightFolder base) {
        LoraSpec lora =
                Objects.requireNonNull(golden.spec(GoldenModel.Mode.LORA).lora());
        return new AdapterMerge(base.config(), lora);
    }

    private static float[] all(FloatSource source) {
        float[] values = new float[Math.toIntExact(source.length())];
        source.read(0, values, values.length);
        return values;
    }
}
