package org.sparkqlora.spark.source;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.sparkqlora.input.BadInputException;

/** Finds bytes of spreadsheets that are no UTF-8: Spark reads each of them as U+FFFD and tells nobody. */
final class SheetEncoding {
    private static final long NO_LINE = 0;
    private static final int BUFFER = 1 << 16;

    private SheetEncoding() {}

    /** Refuses the first of {@code files} that is in another encoding. Driver only. */
    static void requireUtf8(JavaSparkContext context, List<SourceFile> files, Configuration configuration) {
        Broadcast<SerializableConfiguration> hadoop = context.broadcast(new SerializableConfiguration(configuration));
        try {
            List<Long> lines = context.parallelize(files, files.size())
                    .map(new FirstBadLine(hadoop))
                    .collect();
            for (int i = 0; i < files.size(); i++) {
                if (lines.get(i) != NO_LINE) {
                    throw new BadInputException(
                            "Cannot read %s:%d: expected UTF-8, found bytes that are none. Is it in another encoding?"
                                    .formatted(files.get(i).path(), lines.get(i)));
                }
            }
        } finally {
            hadoop.destroy();
        }
    }

    /** The first line of a file that is no UTF-8; 0 where all are. Runs in a task. */
    private record FirstBadLine(Broadcast<SerializableConfiguration> configuration)
            implements Function<SourceFile, Long> {
        @Override
        public Long call(SourceFile file) throws IOException {
            try (InputStream in =
                    Decompression.open(file.path(), configuration.value().value())) {
                return firstBadLine(in);
            }
        }
    }

    private static long firstBadLine(InputStream in) throws IOException {
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        ByteBuffer bytes = ByteBuffer.allocate(BUFFER);
        CharBuffer characters = CharBuffer.allocate(BUFFER); // never more than bytes
        long line = 1;
        int read = 0;
        while (read >= 0) {
            read = in.read(bytes.array(), bytes.position(), bytes.remaining());
            bytes.position(bytes.position() + Math.max(0, read)).flip();
            CoderResult decoded = decoder.decode(bytes, characters.clear(), read < 0);
            line += lineEnds(bytes);
            if (decoded.isError()) {
                return line;
            }

            bytes.compact();
        }

        return NO_LINE;
    }

    /** Before the position. */
    private static long lineEnds(ByteBuffer bytes) {
        long ends = 0;
        for (int i = 0; i < bytes.position(); i++) {
            ends += bytes.get(i) == '\n' ? 1 : 0;
        }

        return ends;
    }
}
