package org.sparkqlora.spark.prepare;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.data.ExampleKind;
import org.sparkqlora.spark.source.BadLine;
import org.sparkqlora.tokenizer.ControlTokens;
import org.sparkqlora.tokenizer.EncodedDocuments;
import org.sparkqlora.tokenizer.EncodedExample;
import org.sparkqlora.tokenizer.packing.TokenRow;

/** The examples of a group so far, and the counts of its records. */
final class GroupEncoding {
    private final LineEncoder encoder;
    private final PreparationOptions options;
    private final ExampleChecking checks;
    private final GroupExamples examples;
    private final List<BadLine> bad = new ArrayList<>();
    private long truncated;
    private long untrained;

    /** @param examples none yet */
    GroupEncoding(LineEncoder encoder, PreparationOptions options, long hashedOneOf, GroupExamples examples) {
        this.encoder = encoder;
        this.options = options;
        this.examples = examples;
        // what is scored need not end with a control token
        this.checks =
                new ExampleChecking(options.kind().isScored() ? ControlTokens.UNKNOWN : encoder.control(), hashedOneOf);
    }

    /** Reads and encodes one record, if there is one. */
    void add(String path, long number, Record record) throws IOException {
        try {
            String line = record.read();
            if (line != null && !line.isBlank()) {
                add(encoder.documents(line));
            }
        } catch (BadRecordException e) {
            bad.add(new BadLine(path, number, String.valueOf(e.getMessage())));
        } catch (StackOverflowError e) {
            // Limits on depth come first; of a thread with a small stack, this record alone is lost, since nothing is
            // half done.
            bad.add(new BadLine(path, number, "Cannot read the record: it is nested too deep for this thread"));
        }
    }

    private void add(EncodedDocuments example) {
        List<EncodedExample> cut = example.documents().stream()
                .map(document -> document.truncatedTo(options.width()))
                .toList();
        boolean answersNothing = options.kind() != ExampleKind.LABELED
                && cut.stream().anyMatch(document -> document.trainedTokens() == 0);
        boolean prefersNothing = cut.size() > 1 && cut.get(0).equals(cut.get(1));
        if (answersNothing || prefersNothing) {
            untrained++;
            return;
        }

        boolean isCut = false;
        for (int i = 0; i < cut.size(); i++) {
            checks.add(example.documents().get(i), cut.get(i));
            isCut |= cut.get(i).length() < example.documents().get(i).length();
        }

        if (example.promptChanged()) {
            checks.addChangedPrompt();
        }

        truncated += isCut ? 1 : 0;
        examples.add(cut, example.values());
    }

    boolean failed() {
        return options.onBadRecord() == PreparationOptions.OnBadRecord.FAIL && !bad.isEmpty();
    }

    /** The rows; each is made when it is asked for. */
    List<TokenRow> rows() {
        return GroupRows.of(examples, options);
    }

    /** A record that is not read yet. */
    interface Record {
        @Nullable
        String read() throws IOException;
    }

    GroupResult result(int group, @Nullable PreparedFile file, long rows) {
        PreparationCounts counts = new PreparationCounts(
                examples.size(), rows, examples.tokens(), examples.trainedTokens(), truncated, untrained, bad.size());
        return new GroupResult(group, file, counts, checks.result(), failed() ? bad : List.of());
    }

    /** Gathers {@link ExampleChecks} example by example. */
    private static final class ExampleChecking {
        private final ControlTokens control;
        private final long hashedOneOf;
        private final long[] lengths = new long[ExampleChecks.BUCKETS];
        private long longest;
        private long cutTokens;
        private long doubleBos;
        private long doubleEnd;
        private long missingEnd;
        private long changedPrompts;
        private long[] hashes = new long[16];
        private int hashed;

        /** One in {@code hashedOneOf} hashes is kept. */
        ExampleChecking(ControlTokens control, long hashedOneOf) {
            this.control = control;
            this.hashedOneOf = hashedOneOf;
        }

        /** Adds an example as it was read, and as it goes into a row. */
        void add(EncodedExample whole, EncodedExample cut) {
            lengths[ExampleChecks.bucket(whole.length())]++;
            longest = Math.max(longest, whole.length());
            cutTokens += whole.length() - cut.length();
            doubleBos += control.beginsTwice(whole) ? 1 : 0;
            doubleEnd += control.endsTwice(cut) ? 1 : 0;
            missingEnd += control.missesEnd(cut) ? 1 : 0;
            addHash(whole.ids());
        }

        void addChangedPrompt() {
            changedPrompts++;
        }

        private void addHash(int[] ids) {
            long hash = DocumentHash.of(ids);
            if (Long.remainderUnsigned(hash, hashedOneOf) != 0) {
                return;
            }

            if (hashed == hashes.length) {
                hashes = Arrays.copyOf(hashes, 2 * hashed);
            }

            hashes[hashed] = hash;
            hashed++;
        }

        ExampleChecks result() {
            long[] distinct =
                    LongStream.of(hashes).limit(hashed).sorted().distinct().toArray();
            return new ExampleChecks(
                    lengths,
                    longest,
                    cutTokens,
                    doubleBos,
                    doubleEnd,
                    missingEnd,
                    changedPrompts,
                    distinct,
                    hashed - distinct.length);
        }
    }
}
