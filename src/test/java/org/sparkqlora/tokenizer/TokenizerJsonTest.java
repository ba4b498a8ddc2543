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
                "\"pre_tokenizer\":{\"pretokenizers\":[{\"pretokenizers\":[{\"pattern\":{\"Regex\":\"(a+)+b\"}}]}]}|(a+)+b. Repeat without",
                "\"normalizer\":{\"normalizers\":[{\"pattern\":{\"Regex\":\"a*a*b\"},\"content\":\"\"}]}|two unbounded repetitions before",
                "\"decoder\":{\"decoders\":[{\"pattern\":{\"Regex\":\"a+b(?=a)?\"},\"content\":\"\"}]}|that do not go back",
                "\"normalizer\":{\"pattern\":{\"String\":\"a\"},\"content\":\"bbbbbbbbbbbbbbbbb\"}|make a text at most 16 times as long",
                "\"normalizer\":{\"pattern\":{\"Regex\":\"(a{1,99}){1,99}b\"}}|ways in",
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
        assertThat(TextLimit.LARGEST.require("a ".repeat(1 << 21))).hasSize(1 << 22);
        for (String blank : new String[] {" ", "\u00a0", "x"}) {
            assertThatThrownBy(() -> TextLimit.LARGEST.require("a b" + blank.repeat((1 << 21) + 1)))
                    .isInstanceOf(BadRecordException.class)
                    .hasMessageContaining("at most 2097152 chars without a change");
        }
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '`',
            value = {
                "\"decoder\":{\"type\":\"ByteLevel\"}~2097152~2147483647",
                "\"pre_tokenizer\":{\"type\":\"ByteLevel\"}~2097152~2147483647",
                "\"pre_tokenizer\":{\"pattern\":{\"Regex\":\"a+b\"}}~281250~2147483647",
                "\"pre_tokenizer\":{\"pattern\":{\"Regex\":\"[^b]+b\"}}~281250~281250",
                "\"normalizer\":{\"type\":\"NFC\"},\"pre_tokenizer\":{\"pattern\":{\"Regex\":\"a+b\"}}~93750~2147483647",
                "\"normalizer\":{\"type\":\"StripAccents\"},\"pre_tokenizer\":{\"pattern\":{\"Regex\":\"a+b\"}}~281250~281250",
                "\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"aaaa\"},\"pre_tokenizer\":{\"pattern\":{\"Regex\":\"a+b\"}}~70312~70312",
                "\"pre_tokenizer\":{\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":\"a+b\"}},{\"type\":\"ByteLevel\",\"use_regex\":false}]}~281250~2147483647"
            })
    void textsAreAsLongAsTheExpressionsAllow(String parts, int run, int text) throws IOException {
        Path file = written("{" + parts + "," + MODEL + "}");

        assertThat(TokenizerJson.read(file).limit()).isEqualTo(new TextLimit(run, text));
    }

    @Test
    void textsBeyondTheLimitOfAnExpressionAreRefused() {
        assertThat(new TextLimit(9, 10).require("aaaaaaaaa ")).hasSize(10);
        assertThatThrownBy(() -> new TextLimit(9, 10).require("aaaaa aaaaa"))
                .isInstanceOf(BadRecordException.class)
                .hasMessage(
                        "Cannot encode a text: expected at most 10 chars for the regular expressions of this tokenizer, found 11");
    }

    @Test
    void blanksAreThoseThatExpressionsTakeForSpace() {
        for (int codePoint = 0; codePoint <= Character.MAX_CODE_POINT; codePoint++) {
            boolean blank = Character.toString(codePoint).matches("(?U)\\s");
            assertThat(CharKind.isBlank(codePoint)).as("U+%04X", codePoint).isEqualTo(blank);
            assertThat(CharKind.ofRange(codePoint, codePoint)).isEqualTo(CharKind.of(codePoint));
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
