package org.sparkqlora.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.data.GoldenJson;

/** The reference is the Python tokenizers library; {@code src/test/python/make_tokenizer_goldens.py} made the files. */
class ModelTokenizerTest {
    @ParameterizedTest
    @ValueSource(strings = {"bytes", "pieces"})
    void idsAndDecodedTextsEqualTheReference(String name) {
        try (ModelTokenizer tokenizer = open(name)) {
            for (JsonNode golden : GoldenJson.read("tokenizers/" + name + ".json")) {
                String text = golden.get("text").textValue();
                int[] ids = ints(golden.get("ids"));
                assertThat(tokenizer.encode(text)).as(text).isEqualTo(ids);
                assertThat(tokenizer.encodeWithoutSpecials(text)).as(text).isEqualTo(ints(golden.get("bare")));
                assertThat(tokenizer.decode(ids))
                        .isEqualTo(golden.get("decoded").textValue());
                assertThat(tokenizer.decodeWithSpecials(ids))
                        .isEqualTo(golden.get("decoded_with_specials").textValue());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bytes", "pieces"})
    void placesOfTokensEqualTheReference(String name) {
        try (ModelTokenizer tokenizer = open(name)) {
            for (JsonNode golden : GoldenJson.read("tokenizers/" + name + ".json")) {
                String text = golden.get("text").textValue();
                TokenizedText tokens = tokenizer.locateWithoutSpecials(text);
                List<List<Integer>> places = IntStream.range(0, tokens.length())
                        .mapToObj(t -> List.of(
                                text.codePointCount(0, tokens.from()[t]), text.codePointCount(0, tokens.to()[t])))
                        .toList();
                List<List<Integer>> expected = StreamSupport.stream(
                                golden.get("offsets").spliterator(), false)
                        .map(pair -> List.of(pair.get(0).intValue(), pair.get(1).intValue()))
                        .toList();
                assertThat(places).as(text).isEqualTo(expected);
            }
        }
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void decodingGivesBackTheText(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        try (ModelTokenizer tokenizer = open("bytes")) {
            String text = randomText(random);
            assertThat(tokenizer.decodeWithSpecials(tokenizer.encode(text))).isEqualTo(text);
        }
    }

    @Test
    void knowsSpecialTokensWhetherStoredAsTextOrObject() {
        try (ModelTokenizer bytes = open("bytes");
                ModelTokenizer pieces = open("pieces")) {
            assertThat(bytes.bos()).hasValue(1);
            assertThat(bytes.eos()).hasValue(2);
            assertThat(bytes.pad()).hasValue(2);
            assertThat(bytes.vocabularySize()).isEqualTo(900);
            assertThat(bytes.isSpecial(2)).isTrue();
            assertThat(bytes.isSpecial(3)).isFalse();
            assertThat(pieces.bos()).hasValue(1);
            assertThat(pieces.eos()).hasValue(2);
            assertThat(pieces.pad()).isEmpty();
            assertThat(bytes.fingerprint()).hasSize(64).isNotEqualTo(pieces.fingerprint());
        }
    }

    @Test
    void manyThreadsMayShareOne() {
        String text = "The quick brown fox 🙂 ".repeat(20);
        try (ModelTokenizer tokenizer = open("bytes")) {
            int[] expected = tokenizer.encode(text);
            List<int[]> results = IntStream.range(0, 200)
                    .parallel()
                    .mapToObj(i -> tokenizer.encode(text))
                    .toList();
            assertThat(results).allSatisfy(ids -> assertThat(ids).isEqualTo(expected));
        }
    }

    @Test
    void aTemplateFileReplacesTheModelsOwn(@TempDir Path folder) throws IOException {
        Path template = Files.writeString(folder.resolve("mine.jinja"), "{{ eos_token }}");
        try (ModelTokenizer tokenizer = ModelTokenizer.open(TestTokenizers.bytes(), template, List.of());
                ModelTokenizer own = open("bytes")) {
            assertThat(tokenizer.chatTemplate().orElseThrow().renderConversation(List.of(), List.of()))
                    .isEqualTo("<|im_end|>");
            assertThat(tokenizer.fingerprint()).isNotEqualTo(own.fingerprint());
        }
    }

    @Test
    void choosesTheTemplateNamedDefault(@TempDir Path folder) throws IOException {
        copyTokenizer(folder);
        Files.writeString(
                folder.resolve("tokenizer_config.json"),
                "{\"chat_template\": [{\"name\": \"rag\", \"template\": \"no\"}, {\"name\": \"default\", \"template\": \"yes\"}]}");
        try (ModelTokenizer tokenizer = ModelTokenizer.open(folder)) {
            assertThat(tokenizer.chatTemplate().orElseThrow().renderConversation(List.of(), List.of()))
                    .isEqualTo("yes");
            assertThat(tokenizer.eos()).isEmpty();
        }
    }

    @Test
    void saysThatAFolderHasNoTokenizer(@TempDir Path folder) throws IOException {
        assertThatThrownBy(() -> ModelTokenizer.open(folder))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot open the tokenizer of %s: expected a file tokenizer.json, found none"
                        .formatted(folder));

        Files.createFile(folder.resolve("tokenizer.model"));
        assertThatThrownBy(() -> ModelTokenizer.open(folder))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        ("Cannot open the tokenizer of %s: expected a file tokenizer.json, found tokenizer.model only. Load and"
                                        + " save the tokenizer with transformers to convert it")
                                .formatted(folder));

        Path missing = folder.resolve("missing");
        assertThatThrownBy(() -> ModelTokenizer.open(missing))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "Cannot open the tokenizer of %s: expected a model folder, found nothing".formatted(missing));
    }

    @Test
    void saysThatAFileIsNoTokenizer(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("tokenizer.json"), "{\"version\": \"1.0\"}");
        assertThatThrownBy(() -> ModelTokenizer.open(folder))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(
                        "Cannot read %s: expected a tokenizer with model.vocab, found none".formatted(file));
    }

    @Test
    void saysWhichTemplateIsBroken(@TempDir Path folder) throws IOException {
        copyTokenizer(folder);
        Path template =
                Files.writeString(folder.resolve("chat_template.jinja"), "{{ bos_token }}\n{% for m in messages %}");
        assertThatThrownBy(() -> ModelTokenizer.open(folder))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        ("Cannot use the chat template of %s: Cannot parse the template, line 2: expected {%% else %%} or"
                                        + " {%% endfor %%}, found the end of the template")
                                .formatted(template));
    }

    @Test
    void refusesHalfASurrogatePair() {
        try (ModelTokenizer tokenizer = open("bytes")) {
            assertThatThrownBy(() -> tokenizer.encode("ab\ud83dc"))
                    .isInstanceOf(BadRecordException.class)
                    .hasMessage(
                            "Cannot encode a text: expected Unicode, found half a surrogate pair (U+D83D) at char 2");
        }
    }

    private static LongStream seeds() {
        return LongStream.range(0, 20);
    }

    private static String randomText(SplittableRandom random) {
        List<String> parts = new ArrayList<>();
        for (int i = random.nextInt(40); i >= 0; i--) {
            int codePoint = random.nextInt(random.nextBoolean() ? 0x80 : 0x20000);
            parts.add(
                    Character.getType(codePoint) == Character.SURROGATE ? "<|im_end|>" : Character.toString(codePoint));
        }

        return String.join("", parts);
    }

    private static ModelTokenizer open(String name) {
        return ModelTokenizer.open(name.equals("bytes") ? TestTokenizers.bytes() : TestTokenizers.pieces());
    }

    private static void copyTokenizer(Path folder) throws IOException {
        Files.copy(TestTokenizers.bytes().resolve("tokenizer.json"), folder.resolve("tokenizer.json"));
    }

    private static int[] ints(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false)
                .mapToInt(JsonNode::intValue)
                .toArray();
    }
}
