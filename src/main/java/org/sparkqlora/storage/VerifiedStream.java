package org.sparkqlora.storage;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import org.apache.hadoop.fs.Path;

/** The bytes of a file, of which the last is not given unless all are those that were written. */
final class VerifiedStream extends InputStream {
    private final InputStream in;
    private final Path file;
    private final StoredFile expected;
    private final MessageDigest digest = Sha256.digest();
    private long read;

    VerifiedStream(InputStream in, Path file, StoredFile expected) {
        this.in = in;
        this.file = file;
        this.expected = expected;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : Byte.toUnsignedInt(one[0]);
    }

    @Override
    public int read(byte[] target, int from, int length) throws IOException {
        int count = in.read(target, from, length);
        if (count < 0 && read < expected.bytes()) {
            throw expected.damaged(file, read);
        }

        if (count > 0) {
            take(target, from, count);
        }

        return count;
    }

    private void take(byte[] bytes, int from, int count) throws IOException {
        read += count;
        if (read > expected.bytes()) {
            throw expected.damaged(file, read);
        }

        digest.update(bytes, from, count);
        if (read == expected.bytes()) {
            expected.requireHash(file, Sha256.hex(digest));
        }
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
