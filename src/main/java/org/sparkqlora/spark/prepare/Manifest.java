package org.sparkqlora.spark.prepare;

import java.io.Serializable;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.ExampleKind;
import org.sparkqlora.data.Examples;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.tokenizer.packing.RowLayout;

/**
 * The content of a prepared folder. It is written last, so a folder with a manifest is complete.
 *
 * @param fingerprint of tokenizer, options and source listing: equal ones have equal rows
 * @param width tokens a row
 * @param files in row order
 * @param counts examples, rows and tokens
 * @param ids vocabulary of the token ids of its rows
 * @param examples what they hold
 * @param reference of which its rows hold the log-probabilities, as a fingerprint; null where they hold none
 * @param tables that were read, each with its version where it has one
 */
public record Manifest(
        String fingerprint,
        int width,
        List<PreparedFile> files,
        PreparationCounts counts,
        TokenIds ids,
        Examples examples,
        @Nullable String reference,
        List<String> tables)
        implements Serializable {
    /** Its name in the folder. */
    public static final String FILE_NAME = "manifest.json";

    private static final int PREFIX_LENGTH = 12;
    private static final int SHORTEST = 2;

    /** Above what any model attends to. */
    private static final int LONGEST = 1 << 26;

    public Manifest {
        if (width < SHORTEST || width > LONGEST) {
            throw new BadInputException("Cannot read a manifest: expected rows of %d to %d tokens, found %d"
                    .formatted(SHORTEST, LONGEST, width));
        }

        files = List.copyOf(files);
        tables = List.copyOf(tables);
    }

    /** Of supervised examples in files. */
    public Manifest(String fingerprint, int width, List<PreparedFile> files, PreparationCounts counts, TokenIds ids) {
        this(fingerprint, width, files, counts, ids, Examples.SUPERVISED, null, List.of());
    }

    public ExampleKind kind() {
        return examples.kind();
    }

    /** The rows' layout. */
    public RowLayout layout() {
        return new RowLayout(width, examples.valuesOfDocument() + (reference == null ? 0 : 1));
    }

    /** Tokens of a document at most. */
    public int documentWidth() {
        return width / kind().documents();
    }

    /** The prefix of the names of its row files. */
    String rowsPrefix() {
        return rowsPrefix(fingerprint);
    }

    /** The prefix of the names of row files with this fingerprint. */
    static String rowsPrefix(String fingerprint) {
        return "rows-" + fingerprint.substring(0, Math.min(PREFIX_LENGTH, fingerprint.length()));
    }
}
