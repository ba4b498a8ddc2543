package org.sparkqlora.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class GrownTokenizerJsonTest {
    private static final List<AddedToken> TOKENS =
            List.of(AddedToken.special("<|tool|>"), AddedToken.special("<|end of it|>"));

    @TempDir
    private Path temporary;

    static Stream<Path> models() {
        return Stream.of(TestTokenizers.bytes(), TestTokenizers.pieces());
    }

    @ParameterizedTest
    @MethodSource("models")
    void newTokensAreOneIdEachAndLeaveTheRestAlone(Path model) {
        try (ModelTokenizer base = ModelTokenizer.open(model);
                ModelTokenizer grown = ModelTokenizer.open(model, null, TOKENS)) {
            int first = base.vocabularySize();
            int[] ids = grown.encodeWithoutSpecials("<|tool|>Hello<|end of it|>");

            assertThat(grown.vocabularySize()).isEqualTo(first + 2);
            assertThat(ids).startsWith(first).endsWith(first + 1);
            assertThat(grown.isSpecial(first)).isTrue();
            assertThat(grown.decode(ids))
                    .isEqualTo(grown.decodeWithSpecials(ids)
                            .replaceAll("<[^>]*>", "")
                            .strip());
            assertThat(grown.encode("Nothing new here, \u00e9\u4e16"))
                    .isEqualTo(base.encode("Nothing new here, \u00e9\u4e16"));
            assertThat(grown.fingerprint()).isNotEqualTo(base.fingerprint());
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void itsFilesMakeTheSameTokenizerAndTellWhatWasAdded(Path model) throws IOException {
        Map<String, String> texts = GrownTokenizerJson.of(model, TOKENS).texts();
        for (Map.Entry<String, String> text : texts.entrySet()) {
            Files.writeString(temporary.resolve(text.getKey()), text.getValue());
        }

        assertThat(texts).containsKeys("tokenizer.json", "tokenizer_config.json");
        assertThat(GrownTokenizerJson.beyond(model, "tokenizer.json", texts.getOrDefault("tokenizer.json", "")))
                .isEqualTo(TOKENS);
        try (ModelTokenizer written = ModelTokenizer.open(temporary);
                ModelTokenizer grown = ModelTokenizer.open(model, null, TOKENS)) {
            String text = "<|tool|> one, two <|end of it|>";
            assertThat(written.encode(text)).isEqualTo(grown.encode(text));
        }
    }

    @Test
    void aTokenizerThatIsTheSameHasNothingBeyond() throws IOException {
        Path model = TestTokenizers.bytes();

        assertThat(GrownTokenizerJson.beyond(model, "x", Files.readString(model.resolve("tokenizer.json"))))
                .isEmpty();
    }

    @Test
    void refusesTokensThatAreThereAndIdsThatDoNotFollow() {
        Path model = TestTokenizers.bytes();

        assertThatThrownBy(() -> GrownTokenizerJson.of(model, List.of(AddedToken.special("<|im_end|>"))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageMatching(
                        "Cannot add tokens to .*: expected tokens that it has not, found \\[<\\|im_end\\|> \\(id \\d+\\)]");
        assertThatThrownBy(() -> GrownTokenizerJson.beyond(
                        model, "adapter/tokenizer.json", "{\"added_tokens\": [{\"id\": 7, \"content\": \"<x>\"}]}"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageMatching(
                        "Cannot use adapter/tokenizer.json: expected new tokens to have the ids from \\d+ on, in their order, found <x> with id 7. Is the adapter one of the model .*");
        assertThatThrownBy(() -> AddedToken.special(" "))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot add a token: expected a text, found ' '");
    }
}
