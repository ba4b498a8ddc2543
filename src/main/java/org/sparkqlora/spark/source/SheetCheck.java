package org.sparkqlora.spark.source;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.cluster.Broadcasts;

/**
 * Finds what Spark reads in spreadsheets without a word: bytes that are no UTF-8, each as U+FFFD, and a quote that nothing ends, with the
 * rest of the file as its cell.
 */
final class SheetCheck {
    private static final int BUFFER = 1 << 16;

    private SheetCheck() {}

    /** Refuses the first of {@code files} that has one. Driver only. */
    static void requireSound(
            JavaSparkContext context, List<SourceFile> files, char separator, Configuration configuration) {
        Broadcast<SerializableConfiguration> hadoop = context.broadcast(new SerializableConfiguration(configuration));
        try {
            List<String> faults = context.parallelize(files, files.size())
                    .flatMap(new FirstFault(hadoop, separator))
                    .collect();
            if (!faults.isEmpty()) {
                throw new BadInputException(faults.get(0));
            }
        } finally {
            Broadcasts.destroy(hadoop);
        }
    }

    /** What is wrong with a file. Runs in a task. */
    private record FirstFault(Broadcast<SerializableConfiguration> configuration, char separator)
            implements FlatMapFunction<SourceFile, String> {
        @Override
        public Iterator<String> call(SourceFile file) throws IOException {
            try (InputStream in =
                    Decompression.open(file.path(), configuration.value().value())) {
                return firstFault(in, new SheetLines(separator)).stream()
                        .map(fault -> "Cannot read %s:%s".formatted(file.path(), fault))
                        .iterator();
            }
        }
    }

    private static Optional<String> firstFault(InputStream in, SheetLines lines) throws IOException {
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        ByteBuffer bytes = ByteBuffer.allocate(BUFFER);
        CharBuffer characters = CharBuffer.allocate(BUFFER); // never more than bytes
        int read = 0;
        while (read >= 0) {
            read = in.read(bytes.array(), bytes.position(), bytes.remaining());
            bytes.position(bytes.position() + Math.max(0, read)).flip();
            CoderResult decoded = decoder.decode(bytes, characters.clear(), read < 0);
            for (int i = 0; i < bytes.position(); i++) {
                lines.accept(bytes.get(i));
            }

            if (decoded.isError()) {
                return Optional.of(
                        lines.line() + ": expected UTF-8, found bytes that are none. Is it in another encoding?");
            }

            bytes.compact();
        }

        return lines.openQuote().stream()
                .mapToObj(
                        line -> line
                                + ": expected a quote at the end of the cell that begins with one, found the end of the file. A quote within a cell is doubled")
                .findFirst();
    }
}
