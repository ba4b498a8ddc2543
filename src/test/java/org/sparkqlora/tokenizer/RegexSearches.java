package org.sparkqlora.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.sparkqlora.tokenizer.RegexCost.RegexException;

/**
 * Splits texts of a million chars that make searches go back, in a process of its own: the native library may end it. Arguments are
 * a folder to work in and a file with a name, a tab and an expression a line.
 */
final class RegexSearches {
    private static final int LENGTH = 1_000_000;

    /** Enough to see that a run of a char is cut every three chars or more often: no search in it is long. */
    private static final int SHORT_LENGTH = 900;

    private static final String TOKENIZER = """
            {"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "%s"}, "behavior": "Isolated", "invert": false},
             "model": {"type": "WordLevel", "vocab": {"u": 0}, "unk_token": "u"}}
            """;

    private RegexSearches() {}

    public static void main(String[] arguments) throws IOException, RegexException {
        Path folder = Path.of(arguments[0]);
        for (String line : Files.readAllLines(Path.of(arguments[1]))) {
            String[] parts = line.split("\t", 2);
            long scans = RegexParser.cost(parts[1]).scans();
            if (scans > 0) {
                System.out.println(parts[0]);
                search(folder, parts[1], scans);
            }
        }

        System.out.println("all searched");
    }

    /** Of searches that start anew at each place of a run, only the first: the others take as many steps each, and much time together. */
    private static void search(Path folder, String expression, long scans) throws IOException {
        String once = scans < 32 ? expression : "\\A(?:" + expression + ")|[\\s\\S]+";
        String escaped = once.replace("\\", "\\\\").replace("\"", "\\\"");
        Path file = Files.writeString(folder.resolve("tokenizer.json"), TOKENIZER.formatted(escaped));
        try (var tokenizer = TokenizerNatives.open(file)) {
            for (String ofRun : List.of("A", " ", "7")) {
                if (pieces(tokenizer, ofRun.repeat(SHORT_LENGTH)) < SHORT_LENGTH / 3) {
                    pieces(tokenizer, ofRun.repeat(LENGTH) + "x!");
                }
            }
        }
    }

    private static int pieces(HuggingFaceTokenizer tokenizer, String text) {
        return NativeEncoding.ids(tokenizer, text, NativeEncoding.Specials.NONE).length;
    }
}
