package org.sparkqlora.spark.prepare;

import java.io.IOException;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.spark.source.BadLine;
import org.sparkqlora.tokenizer.ControlTokens;
import org.sparkqlora.tokenizer.EncodedExample;
import org.sparkqlora.tokenizer.RowPacker;
import org.sparkqlora.tokenizer.TokenRow;

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
        this.checks = new ExampleChecking(encoder.control(), hashedOneOf);
    }

    /** Reads and encodes one record, if there is one. */
    void add(String path, long number, Record record) throws IOException {
        try {
            String line = record.read();
            if (line != null && !line.isBlank()) {
                add(encoder.encode(line));
            }
        } catch (BadRecordException e) {
            bad.add(new BadLine(path, number, String.valueOf(e.getMessage())));
        } catch (StackOverflowError e) {
            // Limits on depth come first; of a thread with a small stack, this record alone is lost, since nothing is
            // half done.
            bad.add(new BadLine(path, number, "Cannot read the record: it is nested too deep for this thread"));
        }
    }

    private void add(EncodedExample example) {
        EncodedExample cut = example.truncatedTo(options.width());
        if (cut.trainedTokens() == 0) {
            untrained++;
            return;
        }

        checks.add(example, cut);
        truncated += cut.length() < example.length() ? 1 : 0;
        examples.add(cut);
    }

    boolean failed() {
        return options.onBadRecord() == PreparationOptions.OnBadRecord.FAIL && !bad.isEmpty();
    }

    /** The rows; each is made when it is asked for. */
    List<TokenRow> rows() {
        List<List<Integer>> packed = switch (options.packing()) {
            case PACKED -> RowPacker.pack(examples.lengths(), options.width());
            case ONE_A_ROW ->
                IntStream.range(0, examples.size()).mapToObj(List::of).toList();
        };
        return new AbstractList<>() {
            @Override
            public TokenRow get(int row) {
                return TokenRow.of(packed.get(row).stream().map(examples::get).toList(), options.width());
            }

            @Override
            public int size() {
                return packed.size();
            }
        };
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
            return new ExampleChecks(
                    lengths, longest, cutTokens, doubleBos, doubleEnd, missingEnd, Arrays.copyOf(hashes, hashed));
        }
    }
}
