package org.sparkqlora.spark.prepare;

import com.github.luben.zstd.ZstdInputStream;
import com.github.luben.zstd.ZstdOutputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;
import scala.Tuple2;

/**
 * Records of a table under their places, in compressed batches for the way to the tasks that pack them: a table as JSON is several times
 * as large as its files, and the shuffle of gradients, which cannot be compressed, is set not to compress.
 */
final class RecordBatches {
    /** Bytes of a batch, uncompressed, beyond which the next begins. */
    static final int LONG = 1 << 20;

    private static final int ROW_WITHOUT_RECORD = 0;
    private static final int RECORD = 1;

    private RecordBatches() {}

    /**
     * Batches under the place of their first record.
     *
     * @param run of records
     * @param taken whether the record at a place is used
     */
    static Iterator<Tuple2<Long, byte[]>> pack(Iterator<Tuple2<Long, String>> run, LongPredicate taken) {
        return new Packed(run, taken);
    }

    /** The records in {@code batches}, in their order. */
    static Iterator<Tuple2<Long, String>> unpack(Iterator<byte[]> batches) {
        return new Unpacked(batches);
    }

    /** Makes each batch when it is asked for. */
    private static final class Packed implements Iterator<Tuple2<Long, byte[]>> {
        private final Iterator<Tuple2<Long, String>> records;
        private final LongPredicate taken;
        private @Nullable Tuple2<Long, String> following;

        private Packed(Iterator<Tuple2<Long, String>> records, LongPredicate taken) {
            this.records = records;
            this.taken = taken;
            this.following = advance();
        }

        @Override
        public boolean hasNext() {
            return following != null;
        }

        @Override
        public Tuple2<Long, byte[]> next() {
            if (following == null) {
                throw new NoSuchElementException();
            }

            long first = following._1();
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (DataOutputStream out = new DataOutputStream(new ZstdOutputStream(bytes))) {
                while (following != null && out.size() < LONG) {
                    write(following, out);
                    following = advance();
                }
            } catch (IOException e) {
                throw new UncheckedIOException("Failed to compress records", e);
            }

            return new Tuple2<>(first, bytes.toByteArray());
        }

        private static void write(Tuple2<Long, String> record, DataOutputStream out) throws IOException {
            out.writeByte(record._2() == null ? ROW_WITHOUT_RECORD : RECORD);
            out.writeLong(record._1());
            if (record._2() != null) {
                byte[] text = record._2().getBytes(StandardCharsets.UTF_8);
                out.writeInt(text.length);
                out.write(text);
            }
        }

        /** To the next record that is taken. */
        private @Nullable Tuple2<Long, String> advance() {
            while (records.hasNext()) {
                Tuple2<Long, String> record = records.next();
                if (taken.test(record._1())) {
                    return record;
                }
            }

            return null;
        }
    }

    /** Decompresses each batch when its first record is asked for. */
    private static final class Unpacked implements Iterator<Tuple2<Long, String>> {
        private final Iterator<byte[]> batches;
        private @Nullable DataInputStream batch;
        private int kind; // of the record that follows; negative behind the last of the batch

        private Unpacked(Iterator<byte[]> batches) {
            this.batches = batches;
            this.kind = -1;
        }

        @Override
        public boolean hasNext() {
            while (kind < 0 && batches.hasNext()) {
                batch = open(batches.next());
                kind = kind(batch);
            }

            return kind >= 0;
        }

        @Override
        public Tuple2<Long, String> next() {
            if (!hasNext() || batch == null) {
                throw new NoSuchElementException();
            }

            try {
                Tuple2<Long, String> record = new Tuple2<>(batch.readLong(), kind == RECORD ? text(batch) : null);
                kind = batch.read();
                return record;
            } catch (IOException e) {
                throw damaged(e);
            }
        }

        private static DataInputStream open(byte[] bytes) {
            try {
                return new DataInputStream(new ZstdInputStream(new ByteArrayInputStream(bytes)));
            } catch (IOException e) {
                throw damaged(e);
            }
        }

        private static int kind(DataInputStream in) {
            try {
                return in.read();
            } catch (IOException e) {
                throw damaged(e);
            }
        }

        private static String text(DataInputStream in) throws IOException {
            return new String(in.readNBytes(in.readInt()), StandardCharsets.UTF_8);
        }

        private static UncheckedIOException damaged(IOException e) {
            return new UncheckedIOException("Failed to decompress records", e);
        }
    }
}
