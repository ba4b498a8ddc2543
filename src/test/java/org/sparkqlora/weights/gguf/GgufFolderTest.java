package org.sparkqlora.weights.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

class GgufFolderTest {
    @TempDir
    private Path temporary;

    @ParameterizedTest
    @ValueSource(strings = {"llama-tied", "llama-sharded", "qwen2-bias", "qwen3-qknorm"})
    void givesBackTheModelThatAFileWasMadeOf(String model) throws Exception {
        WeightFolder source = model(model);
        Path file = gguf(source, UnaryOperator.identity()).write(temporary.resolve("m.gguf"));

        GgufFolder.write(file, temporary.resolve("folder"));

        WeightFolder written = WeightFolder.open(temporary.resolve("folder"));
        written.checkShapes();
        assertThat(written.names()).containsExactlyInAnyOrderElementsOf(source.names());
        for (String name : source.names()) {
            assertThat(written.tensor(name).buffer())
                    .as(name)
                    .isEqualTo(source.tensor(name).buffer());
        }

        ModelConfig config = written.config();
        assertThat(config)
                .usingRecursiveComparison()
                .ignoringFields("bosId", "eosIds", "padId")
                .isEqualTo(source.config());
    }

    /** Mistral Small 3 has the name of Ministral 3 in files, and no factor on queries. */
    @Test
    void aMistralWithoutAFactorOnQueriesIsALlama() throws Exception {
        WeightFolder source = model("llama-tied");
        Path file = gguf(source, "mistral3", UnaryOperator.identity()).write(temporary.resolve("m.gguf"));

        GgufFolder.write(file, temporary.resolve("folder"));

        WeightFolder written = WeightFolder.open(temporary.resolve("folder"));
        assertThat(written.config())
                .usingRecursiveComparison()
                .ignoringFields("bosId", "eosIds", "padId")
                .isEqualTo(source.config());
    }

    @Test
    void aGraniteThatDoesNotTurnIsRefused() throws Exception {
        Path file = gguf(model("llama-tied"), "granite", gguf -> gguf.put("granite.rope.scaling.finetuned", false))
                .write(temporary.resolve("m.gguf"));

        assertThatThrownBy(() -> GgufFolder.write(file, temporary.resolve("folder")))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot read %s: expected true: layers that turn for granite.rope.scaling.finetuned, found false",
                        file);
    }

    @Test
    void makesTheTokenizerOfItsMetadata() throws Exception {
        Path file = gguf(model("llama-tied"), UnaryOperator.identity()).write(temporary.resolve("m.gguf"));

        GgufFolder.write(file, temporary.resolve("folder"));

        try (ModelTokenizer tokenizer = ModelTokenizer.open(temporary.resolve("folder"))) {
            assertThat(tokenizer.encode("ab ab12</s>")).containsExactly(0, 5, 6, 7, 8, 1);
            assertThat(tokenizer.bos()).hasValue(0);
            assertThat(tokenizer.eos()).hasValue(1);
            assertThat(tokenizer.chatTemplate()).isPresent();
        }
    }

    @Test
    void convertsAFileOnce() throws Exception {
        Path file = gguf(model("llama-tied"), UnaryOperator.identity()).write(temporary.resolve("m.gguf"));
        Path cache = temporary.resolve("cache");

        Path first = GgufFolder.cached(file, cache);
        FileTime written = Files.getLastModifiedTime(first.resolve("model.safetensors"));

        assertThat(GgufFolder.cached(file, cache)).isEqualTo(first);
        assertThat(Files.getLastModifiedTime(first.resolve("model.safetensors")))
                .isEqualTo(written);
        Files.setLastModifiedTime(file, FileTime.fromMillis(0));
        assertThat(GgufFolder.cached(file, cache)).isNotEqualTo(first);
    }

    @Test
    void namesTheArchitecturesThatItKnows() throws Exception {
        assertRefused(
                gguf -> gguf.put("general.architecture", "rwkv"),
                "Unsupported architecture rwkv in %s: expected one of [llama, qwen2, qwen3, gemma2, gemma3, granite, olmo2, phi3, smollm3, mistral3, qwen35, qwen3moe, gemma4]. Use the model's Hugging Face folder");
    }

    @Test
    void namesTheTokenizerThatItKnows() throws Exception {
        assertRefused(
                gguf -> gguf.put("tokenizer.ggml.model", "bert"),
                "Unsupported tokenizer bert in %s: expected gpt2 (byte-level BPE), llama (SentencePiece BPE) or gemma4. Use the model's Hugging Face folder");
    }

    @Test
    void refusesMetadataThatTheTensorsContradict() throws Exception {
        assertRefused(
                gguf -> gguf.put("llama.feed_forward_length", 161).put("llama.block_count", 1),
                "Cannot use %s: expected the 11 tensors of a llama, found blk.0.ffn_down.weight of shape [64, 160], expected [64, 161];");
    }

    @Test
    void refusesRotaryScalingThatItCannotWriteDown() throws Exception {
        assertRefused(
                gguf -> gguf.put("llama.rope.scaling.type", "longrope"),
                "Cannot read %s: expected none, linear or yarn for llama.rope.scaling.type, found longrope");
        assertRefused(
                gguf -> gguf.put("llama.rope.scaling.type", "yarn").put("llama.rope.scaling.factor", 4f),
                "Cannot read %s: expected a whole number of at least 1 for llama.rope.scaling.original_context_length, found nothing");
        assertRefused(
                gguf -> gguf.tensor("rope_freqs.weight", new long[] {8}, new float[8]),
                "Unsupported rotary scaling in %s: expected factors of llama3 in tensor rope_freqs.weight, found others. Use the model's Hugging Face folder");
        assertRefused(
                gguf -> gguf.tensor("rope_freqs.weight", new long[] {2}, new float[] {1, 8}),
                "Unsupported rotary scaling in %s: expected factors of llama3 in tensor rope_freqs.weight, found others. Use the model's Hugging Face folder");
        assertRefused(
                gguf -> gguf.tensor("rope_freqs.weight", new long[] {8}, new float[8])
                        .put("llama.rope.scaling.type", "linear"),
                "Cannot read %s: expected none beside the tensor rope_freqs.weight for llama.rope.scaling.type, found linear");
        assertRefused(
                gguf -> gguf.tensor("rope_factors_long.weight", new long[] {8}, new float[8]),
                "Unsupported rotary scaling in %s: expected none, linear, yarn or llama3, found longrope (tensors rope_factors_long.weight, rope_factors_short.weight)");
        assertRefused(
                gguf -> gguf.put("llama.rope.dimension_count", 8),
                "Cannot read %s: expected the head size 16 for llama.rope.dimension_count, found 8");
    }

    @Test
    void refusesCountsThatTheTensorsCannotMeet() throws Exception {
        assertRefused(
                gguf -> gguf.put("llama.block_count", Integer.MAX_VALUE),
                "Cannot read %s: expected fewer layers than the 20 tensors for llama.block_count, found 2147483647");
        assertRefused(
                gguf -> gguf.put("llama.expert_count", 8),
                "Cannot read %s: expected no experts for llama.expert_count, found 8");
        List<String> many = IntStream.range(0, 1000).mapToObj(String::valueOf).toList();
        assertRefused(
                gguf -> gguf.putTexts("tokenizer.ggml.tokens", many)
                        .putNumbers("tokenizer.ggml.token_type", Collections.nCopies(1000, 1)),
                "Cannot use %s: expected a row of token_embd.weight for each of the 1000 tokens, found ");
    }

    @Test
    void refusesATokenThatIsNotThere() throws Exception {
        assertRefused(
                gguf -> gguf.put("tokenizer.ggml.eos_token_id", 9),
                "Cannot read %s: expected the id of one of 9 tokens for tokenizer.ggml.eos_token_id, found 9");
    }

    private void assertRefused(UnaryOperator<GgufBytes> damage, String message) throws Exception {
        Path file = gguf(model("llama-tied"), damage).write(temporary.resolve("m.gguf"));
        Path target = temporary.resolve("folder");

        assertThatThrownBy(() -> GgufFolder.write(file, target))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessageStartingWith(message.formatted(file));
        try (Stream<Path> left = Files.list(temporary)) {
            assertThat(left).containsExactly(file);
        }
    }

    private static GgufBytes gguf(WeightFolder source, UnaryOperator<GgufBytes> change) {
        return gguf(source, source.config().modelType(), change);
    }

    private static GgufBytes gguf(WeightFolder source, String architecture, UnaryOperator<GgufBytes> change) {
        ModelConfig config = source.config();
        String prefix = architecture + ".";
        GgufBytes gguf = new GgufBytes()
                .put("general.architecture", architecture)
                .put(prefix + "block_count", config.layers())
                .put(prefix + "context_length", config.maxPositions())
                .put(prefix + "embedding_length", config.hiddenSize())
                .put(prefix + "feed_forward_length", config.intermediateSize())
                .put(prefix + "attention.head_count", config.heads())
                .put(prefix + "attention.head_count_kv", config.keyValueHeads())
                .put(prefix + "attention.key_length", config.headSize())
                .put(prefix + "attention.layer_norm_rms_epsilon", (float) config.normEpsilon())
                .put(prefix + "rope.freq_base", (float)
                        config.layerTraits().get(0).rotary().orElseThrow().theta())
                .put("tokenizer.ggml.model", "gpt2")
                .put("tokenizer.ggml.pre", "smollm")
                .putTexts("tokenizer.ggml.tokens", List.of("<s>", "</s>", "a", "b", "Ġ", "ab", "Ġab", "1", "2"))
                .putNumbers("tokenizer.ggml.token_type", List.of(3, 3, 1, 1, 1, 1, 1, 1, 1))
                .putTexts("tokenizer.ggml.merges", List.of("a b", "Ġ ab"))
                .put("tokenizer.ggml.bos_token_id", 0)
                .put("tokenizer.ggml.eos_token_id", 1)
                .put("tokenizer.ggml.add_bos_token", true)
                .put("tokenizer.chat_template", "{{ messages[0].content }}");
        for (String name : source.names()) {
            long[] shape = source.shapeOf(name);
            float[] values = all(source.tensor(name).asFloats());
            boolean rotated = config.modelType().equals("llama") && name.matches(".*[qk]_proj.*");
            gguf.tensor(ggufName(name), shape, rotated ? interleaved(values, shape, config.headSize()) : values);
        }

        return change.apply(gguf);
    }

    /** llama.cpp's converter: row {@code j} of the first half of a head goes before row {@code j} of the second. */
    private static float[] interleaved(float[] values, long[] shape, int headSize) {
        int inputs = (int) shape[1];
        float[] result = new float[values.length];
        for (int row = 0; row < shape[0]; row += 2) {
            int head = row / headSize * headSize;
            int pair = (row - head) / 2;
            System.arraycopy(values, (head + pair) * inputs, result, row * inputs, inputs);
            System.arraycopy(values, (head + headSize / 2 + pair) * inputs, result, (row + 1) * inputs, inputs);
        }

        return result;
    }

    private static String ggufName(String name) {
        return name.replace("model.layers.", "blk.")
                .replace("model.embed_tokens", "token_embd")
                .replace("model.norm", "output_norm")
                .replace("lm_head", "output")
                .replace("self_attn.o_proj", "attn_output")
                .replaceAll("self_attn\\.([qkv])_proj", "attn_$1")
                .replaceAll("self_attn\\.([qk])_norm", "attn_$1_norm")
                .replaceAll("mlp\\.(gate|up|down)_proj", "ffn_$1")
                .replace("input_layernorm", "attn_norm")
                .replace("post_attention_layernorm", "ffn_norm");
    }

    private static WeightFolder model(String name) throws URISyntaxException {
        return WeightFolder.open(
                Path.of(Objects.requireNonNull(GgufFolderTest.class.getResource("/goldens/models/" + name + "/base"))
                        .toURI()));
    }

    private static float[] all(FloatSource source) {
        float[] values = new float[Math.toIntExact(source.length())];
        source.read(0, values, values.length);
        return values;
    }
}
