package org.sparkqlora.spark.watch;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.zip.CRC32C;

/**
 * An event file as TensorBoard reads it, a record at a time, so that it can be read while it grows:
 *
 * <pre>
 * record  length (int64), checksum of the length, bytes, checksum of the bytes     all little endian
 * checksum  CRC-32C c as ((c >>> 15) | (c << 17)) + 0xa282ead8
 * bytes   an Event of tensorflow/core/util/event.proto: 1 wall time, 2 step, 3 version, 5 summary, 7 session log
 * </pre>
 */
record TensorBoardFile(Path path, FileOutputStream out) implements AutoCloseable {
    private static final int MASK = 0xa282ead8;
    private static final double MILLIS = 1000.0;

    /** A new file in {@code folder}; those of earlier runs stay. */
    static TensorBoardFile create(Path folder) {
        try {
            Files.createDirectories(folder);
            String name = String.format(
                    Locale.ROOT,
                    "events.out.tfevents.%d.%d.spark-qlora",
                    System.currentTimeMillis() / 1000,
                    ProcessHandle.current().pid());
            Path path = folder.resolve(name);
            for (int i = 1; Files.exists(path); i++) {
                path = folder.resolve(name + "." + i);
            }

            Files.createFile(path);
            TensorBoardFile file = new TensorBoardFile(path, new FileOutputStream(path.toFile(), true));
            file.write(new Protobuf().text(3, "brain.Event:2"));
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to create an event file in " + folder, e);
        }
    }

    /** A run resumes at {@code step}: later steps in earlier files are void. */
    void restartAt(long step) {
        int start = 1; // SessionLog.SessionStatus
        write(new Protobuf().number(2, step).message(7, new Protobuf().number(1, start)));
    }

    void scalar(String tag, double value, long step) {
        Protobuf one = new Protobuf().text(1, tag).real(2, (float) value);
        write(new Protobuf().number(2, step).message(5, new Protobuf().message(1, one)));
    }

    @Override
    public void close() {
        try {
            out.close();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to close " + path, e);
        }
    }

    private void write(Protobuf content) {
        byte[] event = new Protobuf()
                .real(1, System.currentTimeMillis() / MILLIS)
                .append(content)
                .bytes();
        ByteBuffer record = ByteBuffer.allocate(event.length + 16).order(ByteOrder.LITTLE_ENDIAN);
        record.putLong(event.length);
        record.putInt(checksum(record.array(), 0, Long.BYTES));
        record.put(event);
        record.putInt(checksum(event, 0, event.length));
        try {
            out.write(record.array());
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write " + path, e);
        }
    }

    private static int checksum(byte[] bytes, int offset, int length) {
        CRC32C sum = new CRC32C();
        sum.update(bytes, offset, length);
        int value = (int) sum.getValue();
        return ((value >>> 15) | (value << 17)) + MASK;
    }
}
