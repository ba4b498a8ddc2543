package org.sparkqlora.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.InputLimits;

class TokenizerJsonTest {
    private static final String MODEL = "\"model\":{\"vocab\":{\"a\":0}}";

    @TempDir
    private Path folder;

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "\"decoder\":{\"type\":\"\\ud800\"}|half a surrogate pair",
                "\"decoder\":{\"type\":1e999}|a number beyond those of 64 bits",
                "\"decoder\":{\"type\":\"Strip\",\"content\":\"a\",\"start\":0,\"stop\":1}|a decoder that strips no ends",
                "\"decoder\":[{\"decoders\":[{\"stop\":2}]}]|a decoder that strips no ends",
                "\"pre_tokenizer\":{\"type\":\"FixedLength\",\"length\":0}|pieces of a length of at least 1",
                "\"pre_tokenizer\":{\"pattern\":{\"String\":\"\"}}|a pattern that is not empty",
                "\"normalizer\":{\"type\":\"Precompiled\"}|a precompiled_charsmap that is whole",
                "\"normalizer\":{\"precompiled_charsmap\":\"AAAA\"}|a precompiled_charsmap that is whole",
                "\"normalizer\":{\"normalizers\":[{\"pattern\":{\"Regex\":\"\"}},{}]}|patterns that match some text",
                "\"post_processor\":{\"single\":[{\"SpecialToken\":{\"id\":\"s\"}}]}|special_tokens to hold \"s\"",
                "\"post_processor\":{\"single\":[{\"Sequence\":{\"id\":\"B\"}}]}|sequence A in the template",
                "\"post_processor\":{\"sep\":[\"s\",4000000000]}|numbers up to 16777216",
                "\"added_tokens\":[{\"id\":1,\"content\":\" \",\"normalized\":true}],\"normalizer\":{\"type\":\"Strip\"}|text that the normalizer leaves",
                "\"decoder\":{},\"decoder\":{}|decoder twice",
                "\"model\":[[]]|no object as model",
                "\"model\":{\"continuing_subword_prefix\":\"##\",\"merges\":[\"a b\"]}|a second part that begins with ##",
                "\"model\":{\"merges\":[],\"continuing_subword_prefix\":\"##\"}|continuing_subword_prefix behind merges"
            })
    void whatTheNativeLibraryAbortsOnIsRefused(String part, String problem) throws IOException {
        Path file = written("{" + part + "," + MODEL + "}");

        assertThatThrownBy(() -> TokenizerJson.read(file))
                .isInstanceOf(BadInputException.class)
                .hasMessageStartingWith("Cannot read ")
                .hasMessageContaining(problem);
    }

    @Test
    void bytesThatAreNoTextAreRefused() throws IOException {
        Path file = Files.write(folder.resolve("tokenizer.json"), new byte[] {0, 0, 0, '{', 0x7f, 0, 0, '"', 1});

        assertThatThrownBy(() -> TokenizerJson.read(file))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("expected text in UTF-8");
    }

    @Test
    void filesBeyondTheLimitAreRefusedUnread() throws IOException {
        Path file = folder.resolve("tokenizer.json");
        try (RandomAccessFile large = new RandomAccessFile(file.toFile(), "rw")) {
            large.setLength(InputLimits.DEFAULT.tokenizerBytes() + 1L);
        }

        assertThatThrownBy(() -> TokenizerJson.read(file))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("expected at most 268435456 bytes");
    }

    @Test
    void aTableOfCharactersMustLeadNowhereElse() {
        assertThat(PrecompiledCharsmap.isUsable(table(256, 0, "b"))).isTrue();
        assertThat(PrecompiledCharsmap.isUsable(table(255, 0, "b")))
                .as("children behind it")
                .isFalse();
        assertThat(PrecompiledCharsmap.isUsable(table(256, 1 << 8, "b")))
                .as("replaced")
                .isFalse();
    }

    @Test
    void textsOfOneEndlessRunAreRefused() {
        assertThat(EncodableText.require("a ".repeat(1 << 21))).hasSize(1 << 22);
        for (String blank : new String[] {" ", "\u00a0", "x"}) {
            assertThatThrownBy(() -> EncodableText.require("a b" + blank.repeat((1 << 21) + 1)))
                    .isInstanceOf(BadRecordException.class)
                    .hasMessageContaining("at most 2097152 chars without a change");
        }
    }

    /** A trie of {@code units} whose root is {@code root}, and the replacements. */
    private static String table(int units, int root, String replacements) {
        byte[] text = replacements.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(4 + 4 * units + text.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putInt(4 * units);
        for (int i = 0; i < units; i++) {
            bytes.putInt(i == 0 ? root : Integer.MIN_VALUE + 7);
        }

        return Base64.getEncoder().encodeToString(bytes.put(text).array());
    }

    private Path written(String text) throws IOException {
        return Files.writeString(folder.resolve("tokenizer.json"), text);
    }
}
