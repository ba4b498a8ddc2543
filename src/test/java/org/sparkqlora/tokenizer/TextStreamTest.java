package org.sparkqlora.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.data.GoldenJson;

class TextStreamTest {
    private static final String REPLACEMENT = "\uFFFD";

    @ParameterizedTest
    @ValueSource(strings = {"bytes", "pieces"})
    void partsTogetherAreTheDecodedText(String name) {
        try (ModelTokenizer tokenizer = ModelTokenizer.open(folder(name))) {
            for (JsonNode golden : GoldenJson.read("tokenizers/" + name + ".json")) {
                String text = golden.get("text").textValue();
                int[] ids = tokenizer.encodeWithoutSpecials(text);

                assertThat(String.join("", parts(tokenizer, ids))).as(text).isEqualTo(tokenizer.decode(ids));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bytes", "pieces"})
    void noPartEndsInsideACharacter(String name) {
        try (ModelTokenizer tokenizer = ModelTokenizer.open(folder(name))) {
            int[] ids = tokenizer.encodeWithoutSpecials("a🏴‍☠️b 漢字 é");
            List<String> parts = parts(tokenizer, ids);

            assertThat(parts).hasSizeGreaterThan(5).noneMatch(part -> part.contains(REPLACEMENT));
            assertThat(String.join("", parts)).isEqualTo(tokenizer.decode(ids));
        }
    }

    @Test
    void bytesThatNeverBecomeACharacterComeAtTheEnd() {
        try (ModelTokenizer tokenizer = ModelTokenizer.open(folder("bytes"))) {
            int[] whole = tokenizer.encodeWithoutSpecials("🦜");
            TextStream stream = new TextStream(tokenizer);
            assertThat(Arrays.stream(whole).limit(whole.length - 1).mapToObj(stream::add))
                    .isNotEmpty()
                    .containsOnly("");

            assertThat(stream.end()).startsWith(REPLACEMENT);
            assertThat(stream.end()).isEmpty();
        }
    }

    private static List<String> parts(ModelTokenizer tokenizer, int[] ids) {
        TextStream stream = new TextStream(tokenizer);
        List<String> parts = new ArrayList<>();
        for (int id : ids) {
            parts.add(stream.add(id));
        }

        parts.add(stream.end());
        return parts;
    }

    private static Path folder(String name) {
        return name.equals("bytes") ? TestTokenizers.bytes() : TestTokenizers.pieces();
    }
}
