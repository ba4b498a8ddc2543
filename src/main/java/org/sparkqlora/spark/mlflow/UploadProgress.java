package org.sparkqlora.spark.mlflow;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;

/** When a server last took bytes of a file. */
final class UploadProgress {
    private volatile long lastNanos = System.nanoTime();

    /** The content, noting when it is read. */
    InputStream of(InputStream content) {
        return new FilterInputStream(content) {
            @Override
            public int read() throws IOException {
                return noted(super.read());
            }

            @Override
            public int read(byte[] bytes, int from, int count) throws IOException {
                return noted(super.read(bytes, from, count));
            }
        };
    }

    /** How long it has taken none. */
    Duration silence() {
        return Duration.ofNanos(System.nanoTime() - lastNanos);
    }

    private int noted(int read) {
        lastNanos = System.nanoTime();
        return read;
    }
}
