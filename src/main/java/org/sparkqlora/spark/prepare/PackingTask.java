package org.sparkqlora.spark.prepare;

import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.spark.cluster.ScratchFolder;
import org.sparkqlora.spark.source.RecordLines;
import org.sparkqlora.spark.source.Share;
import org.sparkqlora.tensor.ScratchFile;
import org.sparkqlora.tokenizer.packing.RowLayout;
import org.sparkqlora.tokenizer.packing.TokenRow;
import scala.Tuple2;

/**
 * Encodes and packs one group of records into a file of rows, unless an earlier attempt to prepare the same left it finished.
 * Runs in a task.
 *
 * @param hashedOneOf one in so many examples is looked for again among the others
 */
record PackingTask(LineEncoderSource encoders, PreparationOptions options, RowFiles files, long hashedOneOf)
        implements Function<LineGroup, GroupResult> {
    /**
     * The output folder of rows, and the prefix of their names.
     *
     * @param finished groups that were there before
     */
    record RowFiles(
            String folder, String prefix, FinishedGroups finished, Broadcast<SerializableConfiguration> configuration)
            implements Serializable {
        Configuration hadoop() {
            return configuration.value().value();
        }

        FinishedGroup group(int number) {
            return new FinishedGroup(folder, prefix, number);
        }

        /** What is left of a group. */
        Optional<GroupResult> left(int number, RowLayout layout) throws IOException {
            return finished.mayHave(number) ? group(number).read(hadoop(), layout) : Optional.empty();
        }
    }

    @Override
    public GroupResult call(LineGroup group) {
        return once(group.number(), encoding -> encodePieces(group, encoding));
    }

    /** A group of a table's records under their places, which then stand for lines. */
    GroupResult encode(int group, Iterator<Tuple2<Long, String>> records) {
        return once(group, encoding -> {
            while (records.hasNext() && !encoding.failed()) {
                Tuple2<Long, String> record = records.next();
                encoding.add("", record._1(), () -> limited(record._2()));
            }
        });
    }

    private GroupResult once(int group, Records records) {
        try {
            Optional<GroupResult> finished = files.left(group, options.layout());
            return finished.isPresent() ? finished.get() : encode(group, records);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to prepare group " + group, e);
        }
    }

    private GroupResult encode(int group, Records records) throws IOException {
        try (LineEncoder encoder = encoders.open();
                GroupExamples examples = new GroupExamples(PackingTask::scratch, GroupExamples.MOST_TOKENS)) {
            GroupEncoding encoding = new GroupEncoding(encoder, options, hashedOneOf, examples);
            records.encode(encoding);
            return encoding.failed() ? encoding.result(group, null, 0) : write(group, encoding);
        }
    }

    private static ScratchFile scratch() {
        return ScratchFile.create(ScratchFolder.ofProcess(), "examples", 0);
    }

    private void encodePieces(LineGroup group, GroupEncoding encoding) throws IOException {
        for (LineGroup.Piece piece : group.pieces()) {
            encodePiece(piece, group.share(), encoding);
        }
    }

    private void encodePiece(LineGroup.Piece piece, Share share, GroupEncoding encoding) throws IOException {
        try (RecordLines lines = RecordLines.open(piece.split(), options.recordBytes(), files.hadoop())) {
            for (long skipped = 0; skipped < piece.skip(); skipped++) {
                lines.skip();
            }

            for (long i = 0; i < piece.count() && !encoding.failed(); i++) {
                if (share.takes(piece.firstRecord() + i)) {
                    encoding.add(piece.split().file().path(), piece.firstLine() + i, lines::next);
                } else {
                    lines.skip();
                }
            }
        }
    }

    private String limited(@Nullable String record) {
        if (record == null) {
            throw new BadRecordException(
                    "Cannot read the record: expected as many cells as the first line has names, found more or fewer");
        }

        if (record.length() > options.recordBytes()) {
            throw RecordLines.tooLong(options.recordBytes());
        }

        return record;
    }

    private GroupResult write(int group, GroupEncoding encoding) throws IOException {
        List<TokenRow> rows = encoding.rows();
        FinishedGroup target = files.group(group);
        PreparedFile file = rows.isEmpty()
                ? null
                : new RowFileWriter(files.folder(), options.layout(), files.hadoop()).write(target.rowsName(), rows);
        GroupResult result = encoding.result(group, file, rows.size());
        target.write(result, files.hadoop());
        return result;
    }

    /** The records of a group. */
    private interface Records {
        void encode(GroupEncoding encoding) throws IOException;
    }
}
