package org.sparkqlora.weights.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.data.GoldenJson;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

/** The reference is the sentencepiece library; {@code src/test/python/make_gguf_tokenizer_goldens.py} made the files. */
class GgufTokenizerTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"llama", "gemma"})
    void idsAndDecodedTextsEqualSentencePiece(String name) throws Exception {
        try (ModelTokenizer tokenizer = tokenizer(GgufFile.open(golden(name + ".gguf")))) {
            for (JsonNode golden : GoldenJson.read("gguf/tokenizers/" + name + ".json")) {
                String text = golden.get("text").textValue();
                int[] bare = ints(golden.get("bare"));
                assertThat(tokenizer.encode(text)).as(text).isEqualTo(ints(golden.get("ids")));
                assertThat(tokenizer.encodeWithoutSpecials(text)).as(text).isEqualTo(bare);
                assertThat(tokenizer.decodeWithSpecials(bare))
                        .isEqualTo(golden.get("decoded").textValue());
            }
        }
    }

    @Test
    void takesTheMergesThatAFileLists() throws Exception {
        GgufBytes gguf = pieces().putTexts("tokenizer.ggml.merges", List.of("\u2581 a", "a b"));

        assertThat(ids(gguf, "ab")).containsExactly(0, 4, 3);
    }

    @Test
    void findsTheMergesByTheScoresOfPieces() throws Exception {
        assertThat(ids(pieces(), "ab")).containsExactly(0, 1, 5);
    }

    @Test
    void obeysTheFlags() throws Exception {
        GgufBytes gguf = pieces().put("tokenizer.ggml.add_bos_token", false)
                .put("tokenizer.ggml.add_eos_token", true)
                .put("tokenizer.ggml.eos_token_id", 0)
                .put("tokenizer.ggml.add_space_prefix", false);

        assertThat(ids(gguf, "ab")).containsExactly(5, 0);
    }

    @Test
    void refusesListsOfOtherLengthsAndBrokenMerges() throws Exception {
        assertRefused(
                pieces().putFloats("tokenizer.ggml.scores", 1, 2),
                "Cannot read %s: expected a score for each of the 6 tokens for tokenizer.ggml.scores, found a list of 2");
        assertRefused(
                pieces().putNumbers("tokenizer.ggml.token_type", List.of(3)),
                "Cannot read %s: expected a kind for each of the 6 tokens for tokenizer.ggml.token_type, found a list of 1");
        assertRefused(
                pieces().putTexts("tokenizer.ggml.merges", List.of("ab")),
                "Cannot read %s: expected two pieces with a blank between in 'ab' for tokenizer.ggml.merges, found a list of 1");
        assertRefused(
                pieces().putTexts("tokenizer.ggml.tokens", List.of("a", "b", "a")),
                "Cannot read %s: expected each token once, found 'a' again as id 2");
    }

    @Test
    void refusesAPieceThatWouldBeCutAtThousandsOfPlaces() {
        assertRefused(
                pieces().putTexts("tokenizer.ggml.tokens", List.of("a", "b".repeat(1025))),
                "Cannot read %s: expected tokens of at most 1024 characters, found 1025 in id 1");
    }

    private static GgufBytes pieces() {
        return new GgufBytes()
                .put("general.architecture", "llama")
                .put("tokenizer.ggml.model", "llama")
                .putTexts("tokenizer.ggml.tokens", List.of("<s>", "\u2581", "a", "b", "\u2581a", "ab"))
                .putNumbers("tokenizer.ggml.token_type", List.of(3, 1, 1, 1, 1, 1))
                .putFloats("tokenizer.ggml.scores", 0, -9, -9, -9, -2, -1)
                .put("tokenizer.ggml.bos_token_id", 0);
    }

    private int[] ids(GgufBytes gguf, String text) throws IOException {
        try (ModelTokenizer tokenizer = tokenizer(GgufFile.open(gguf.write(folder.resolve("m.gguf"))))) {
            return tokenizer.encode(text);
        }
    }

    private void assertRefused(GgufBytes gguf, String message) {
        GgufFile file = GgufFile.open(gguf.write(folder.resolve("m.gguf")));

        assertThatThrownBy(() -> GgufVocabulary.of(file.metadata()))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(message.formatted(file.path()));
    }

    private ModelTokenizer tokenizer(GgufFile file) throws IOException {
        GgufTokenizerJson json = new GgufTokenizerJson(GgufVocabulary.of(file.metadata()));
        Files.writeString(folder.resolve("tokenizer.json"), json.tokenizer());
        Files.writeString(folder.resolve("tokenizer_config.json"), json.config(64));
        return ModelTokenizer.open(folder);
    }

    private static int[] ints(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false)
                .mapToInt(JsonNode::intValue)
                .toArray();
    }

    private static Path golden(String name) throws URISyntaxException {
        return Path.of(Objects.requireNonNull(GgufTokenizerTest.class.getResource("/goldens/gguf/tokenizers/" + name))
                .toURI());
    }
}
