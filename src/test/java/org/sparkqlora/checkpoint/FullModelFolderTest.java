package org.sparkqlora.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.storage.LocalFiles;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.weights.ChangedWeights;
import org.sparkqlora.weights.FourBitFolder;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;
import org.sparkqlora.weights.safetensors.StoredTensors;

class FullModelFolderTest {
    private final FileSystem files = LocalFiles.system();

    @TempDir
    private Path temporary;

    private Path folder;

    @BeforeEach
    void nameFolder() {
        folder = temporary.resolve("model");
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama-tied", "llama-rope3-bf16", "qwen3-qknorm", "qwen3_moe", "gpt_oss", "gpt_oss-router"})
    void writesAnUntrainedModelAsItWas(String model) throws IOException {
        WeightFolder source = base(model);
        ParameterIndex index = index(source);

        FullModelFolder.write(files, LocalFiles.path(folder), source, index, values(source, index));

        assertThat(folder.resolve("model.safetensors"))
                .hasSameBinaryContentAs(source.path().resolve("model.safetensors"));
        assertThat(Files.readString(folder.resolve("config.json")).strip())
                .isEqualTo(
                        Files.readString(source.path().resolve("config.json")).strip());
    }

    @Test
    void keepsTheShardsOfItsSource() throws IOException {
        WeightFolder source = base("llama-sharded");
        ParameterIndex index = index(source);
        FlatVector parameters = values(source, index);
        parameters.set(index.find("model.norm.weight").offset() + 3, 42);

        FullModelFolder.write(files, LocalFiles.path(folder), source, index, parameters);

        assertThat(folder.resolve("model.safetensors.index.json"))
                .hasSameTextualContentAs(source.path().resolve("model.safetensors.index.json"));
        WeightFolder written = WeightFolder.open(folder);
        written.checkShapes();
        float[] norm = new float[4];
        written.tensor("model.norm.weight").asFloats().read(0, norm, 4);
        assertThat(norm[3]).isEqualTo(42);
        assertThat(written.tensor("lm_head.weight").buffer())
                .isEqualTo(source.tensor("lm_head.weight").buffer());
    }

    /** As transformers loads them: all experts of a layer in one tensor, which is none of codes. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void writesMxfp4AsItIsUnpacked(boolean throughFourBits) throws IOException {
        WeightFolder packed = base("gpt_oss-mxfp4");
        Path quantized = temporary.resolve("quantized");
        try (Workers workers = new Workers(1)) {
            FourBitFolder.write(packed, QuantSpec.DEFAULT, workers, quantized);
        }

        WeightFolder source = throughFourBits ? WeightFolder.open(quantized) : packed;
        FullModelFolder.write(files, LocalFiles.path(folder), source, new ChangedWeights() {
            @Override
            public boolean has(String name) {
                return source.fourBit(name).isPresent();
            }

            @Override
            public FloatSource floats(String name) {
                return packed.tensor(name).asFloats();
            }
        });

        WeightFolder written = WeightFolder.open(folder);
        written.checkShapes();
        assertThat(StoredTensors.open(folder).names())
                .contains("model.layers.0.mlp.experts.gate_up_proj", "model.layers.1.mlp.experts.down_proj_bias")
                .noneMatch(name -> name.contains("experts.0.") || name.endsWith("_blocks"));
        assertThat(Files.readString(folder.resolve("config.json"))).doesNotContain("mxfp4");
        for (String name : packed.names()) {
            assertThat(floats(written, name)).as(name).isEqualTo(floats(packed, name));
        }
    }

    private static float[] floats(WeightFolder model, String name) {
        FloatSource source = model.tensor(name).asFloats();
        float[] values = new float[(int) source.length()];
        source.read(0, values, values.length);
        return values;
    }

    @Test
    void copiesWeightsThatDidNotTrain() {
        WeightFolder source = base("llama-rope3-bf16");
        ParameterIndex.Builder index = ParameterIndex.builder();
        index.add("model.norm.weight", 96);

        FullModelFolder.write(files, LocalFiles.path(folder), source, index.build(), FlatVector.zeros(96));

        WeightFolder written = WeightFolder.open(folder);
        float[] norm = {1};
        written.tensor("model.norm.weight").asFloats().read(95, norm, 1);
        assertThat(norm[0]).isZero();
        assertThat(written.tensor("model.embed_tokens.weight").buffer())
                .isEqualTo(source.tensor("model.embed_tokens.weight").buffer());
    }

    @Test
    void writesA4BitModelWithNewValuesUnquantised() {
        WeightFolder plain = base("llama-rope3-bf16");
        Path quantized = temporary.resolve("quantized");
        try (Workers workers = new Workers(1)) {
            FourBitFolder.write(plain, QuantSpec.DEFAULT, workers, quantized);
        }

        WeightFolder source = WeightFolder.open(quantized);
        FullModelFolder.write(files, LocalFiles.path(folder), source, new ChangedWeights() {
            @Override
            public boolean has(String name) {
                return source.fourBit(name).isPresent();
            }

            @Override
            public FloatSource floats(String name) {
                return plain.tensor(name).asFloats();
            }
        });

        assertThat(folder.resolve("model.safetensors"))
                .hasSameBinaryContentAs(plain.path().resolve("model.safetensors"));
        assertThat(folder.resolve("config.json")).content().doesNotContain("quantization_config");
        assertThatThrownBy(() -> FullModelFolder.write(
                        files, LocalFiles.path(folder), source, index("model.norm.weight", 96), FlatVector.zeros(96)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "Cannot write model %s: expected new values of 4-bit weight model.layers.0.mlp.down_proj.weight, found none",
                        LocalFiles.path(folder));
    }

    @Test
    void takesTheTokenizerAlong() throws IOException {
        Path model = Files.createDirectory(temporary.resolve("source"));
        Path base = base("llama-tied").path();
        Files.copy(base.resolve("model.safetensors"), model.resolve("model.safetensors"));
        Files.copy(base.resolve("config.json"), model.resolve("config.json"));
        Files.writeString(model.resolve("tokenizer.json"), "{}");

        FullModelFolder.write(
                files,
                LocalFiles.path(folder),
                WeightFolder.open(model),
                index("model.norm.weight", 64),
                FlatVector.zeros(64));

        assertThat(folder.resolve("tokenizer.json")).hasContent("{}");
    }

    @Test
    void refusesTensorsThatTheModelDoesNotHave() {
        WeightFolder source = base("llama-tied");

        assertThatThrownBy(() -> FullModelFolder.write(
                        files, LocalFiles.path(folder), source, index("lm_head.weight", 3), FlatVector.zeros(3)))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot write model %s: expected a weight for trained tensor lm_head.weight in %s, found none",
                        LocalFiles.path(folder), source.path());
        assertThatThrownBy(() -> FullModelFolder.write(
                        files, LocalFiles.path(folder), source, index("model.norm.weight", 3), FlatVector.zeros(3)))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot write model %s: expected shape [64] of model.norm.weight as in %s, found [3]",
                        LocalFiles.path(folder), source.path());
        assertThatThrownBy(() -> FullModelFolder.write(
                        files,
                        LocalFiles.path(folder),
                        source,
                        ParameterIndex.builder().build(),
                        FlatVector.zeros(0)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot write model %s: expected trained tensors, found none", LocalFiles.path(folder));
    }

    private static WeightFolder base(String model) {
        return WeightFolder.open(PeftAdapters.models().resolve(model).resolve("base"));
    }

    private static ParameterIndex index(String name, long... shape) {
        ParameterIndex.Builder index = ParameterIndex.builder();
        index.add(name, shape);
        return index.build();
    }

    private static ParameterIndex index(WeightFolder source) {
        ParameterIndex.Builder index = ParameterIndex.builder();
        source.names().forEach(name -> index.add(name, source.shapeOf(name)));
        return index.build();
    }

    private static FlatVector values(WeightFolder source, ParameterIndex index) {
        FlatVector vector = FlatVector.zeros(index.size());
        for (Parameter parameter : index.all()) {
            float[] values = new float[(int) parameter.size()];
            source.tensor(parameter.name()).asFloats().read(0, values, values.length);
            vector.write(parameter.offset(), values, 0, values.length);
        }

        return vector;
    }
}
