package org.sparkqlora.spark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.tokenizer.EncodedExample;
import org.sparkqlora.tokenizer.RowPacker;
import org.sparkqlora.tokenizer.TokenRow;

/** Encodes and packs one group of lines into a file of rows. Runs in a task. */
final class GroupTask implements Function<LineGroup, GroupResult> {
    private static final long serialVersionUID = 1L;

    private final LineEncoderSource encoders;
    private final PreparationOptions options;
    private final String folder;
    private final String prefix;
    private final Broadcast<SerializableConfiguration> configuration;

    GroupTask(
            LineEncoderSource encoders,
            PreparationOptions options,
            String folder,
            String prefix,
            Broadcast<SerializableConfiguration> configuration) {
        this.encoders = encoders;
        this.options = options;
        this.folder = folder;
        this.prefix = prefix;
        this.configuration = configuration;
    }

    @Override
    public GroupResult call(LineGroup group) {
        try (LineEncoder encoder = encoders.open()) {
            Encoding encoding = new Encoding(encoder, options);
            for (LineGroup.Piece piece : group.pieces()) {
                encodePiece(piece, encoding);
            }

            return encoding.failed() ? encoding.result(group.number(), null, 0) : write(group.number(), encoding);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to prepare group " + group.number(), e);
        }
    }

    private void encodePiece(LineGroup.Piece piece, Encoding encoding) throws IOException {
        try (SplitLines lines = SplitLines.open(piece.split(), hadoop())) {
            for (long skipped = 0; skipped < piece.skip(); skipped++) {
                lines.skip();
            }

            for (long i = 0; i < piece.count() && !encoding.failed(); i++) {
                encoding.add(piece.split().file().path(), piece.firstLine() + i, lines.next());
            }
        }
    }

    private GroupResult write(int group, Encoding encoding) throws IOException {
        List<TokenRow> rows = encoding.rows();
        if (rows.isEmpty()) {
            return encoding.result(group, null, 0);
        }

        String name = "%s-%05d.bin".formatted(prefix, group);
        RowFileWriter writer = new RowFileWriter(folder, hadoop());
        return encoding.result(group, writer.write(name, rows, TaskContext.get().taskAttemptId()), rows.size());
    }

    private Configuration hadoop() {
        return configuration.value().value();
    }

    /** The examples of a group so far, and what became of its lines. */
    private static final class Encoding {
        private final LineEncoder encoder;
        private final PreparationOptions options;
        private final List<EncodedExample> examples = new ArrayList<>();
        private final List<BadLine> bad = new ArrayList<>();
        private long truncated;
        private long untrained;

        private Encoding(LineEncoder encoder, PreparationOptions options) {
            this.encoder = encoder;
            this.options = options;
        }

        private void add(String path, long number, @Nullable String line) {
            if (line == null || line.isBlank()) {
                return;
            }

            try {
                add(encoder.encode(line));
            } catch (BadRecordException e) {
                bad.add(new BadLine(path, number, String.valueOf(e.getMessage())));
            }
        }

        private void add(EncodedExample example) {
            EncodedExample cut = example.truncatedTo(options.width());
            if (cut.trainedTokens() == 0) {
                untrained++;
                return;
            }

            truncated += cut.length() < example.length() ? 1 : 0;
            examples.add(cut);
        }

        private boolean failed() {
            return options.onBadRecord() == PreparationOptions.OnBadRecord.FAIL && !bad.isEmpty();
        }

        private List<TokenRow> rows() {
            return switch (options.packing()) {
                case PACKED -> RowPacker.pack(examples, options.width());
                case ONE_A_ROW ->
                    examples.stream()
                            .map(example -> RowPacker.single(example, options.width()))
                            .toList();
            };
        }

        private GroupResult result(int group, @Nullable PreparedFile file, long rows) {
            long tokens = examples.stream().mapToLong(EncodedExample::length).sum();
            long trained =
                    examples.stream().mapToLong(EncodedExample::trainedTokens).sum();
            PreparationCounts counts =
                    new PreparationCounts(examples.size(), rows, tokens, trained, truncated, untrained, bad.size());
            return new GroupResult(group, file, counts, failed() ? List.copyOf(bad) : List.of());
        }
    }
}
