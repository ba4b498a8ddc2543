package org.sparkqlora.options;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.Utf8Lines;
import org.sparkqlora.tokenizer.AddedToken;
import picocli.CommandLine.Option;

/** Special tokens that a tokenizer gets beside its own. */
@OptionGroup.In(OptionGroup.ADAPTER)
public final class TokenOptions {
    private static final String NAMES = "--new-tokens";
    private static final String FILE = "--new-tokens-file";

    @Option(
            names = NAMES,
            split = ",",
            paramLabel = "TOKENS",
            description =
                    "Special tokens that the model gets, such as '<|tool|>,<|end_tool|>'. Embedding and head grow,"
                            + " new rows start as the mean of all rows, and --modules-to-save must name both, so that they"
                            + " train. The tokenizer is stored beside the adapter.")
    List<String> names = new ArrayList<>();

    @Option(names = FILE, paramLabel = "FILE", description = "The same, a token a line.")
    @Nullable
    Path file;

    public void check(Problems problems) {
        problems.requireFile(FILE, file);
        if (file != null && !Files.isRegularFile(file)) {
            return;
        }

        Set<String> seen = new HashSet<>();
        for (String text : texts()) {
            problems.require(!text.isBlank(), "%s: expected tokens, found an empty text", NAMES);
            problems.require(seen.add(text), "%s: expected different tokens, found %s twice", NAMES, text);
        }
    }

    boolean isEmpty() {
        return names.isEmpty() && file == null;
    }

    /** In the order that they are given in. */
    public List<AddedToken> all() {
        return texts().stream().map(AddedToken::special).toList();
    }

    private List<String> texts() {
        List<String> texts = new ArrayList<>(names);
        if (file != null) {
            texts.addAll(lines(file));
        }

        return texts;
    }

    private static List<String> lines(Path file) {
        try {
            return Utf8Lines.read(file).stream().filter(line -> !line.isBlank()).toList();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + file, e);
        }
    }
}
