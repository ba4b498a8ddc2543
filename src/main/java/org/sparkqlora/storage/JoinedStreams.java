package org.sparkqlora.storage;

import java.io.IOException;
import java.io.InputStream;
import java.util.Iterator;

/** Streams one after the other. Each is asked for when the one before has ended, so that closing this opens none that was not reached. */
public final class JoinedStreams extends InputStream {
    private final Iterator<? extends InputStream> streams;
    private InputStream current = InputStream.nullInputStream();

    /** @param streams opens each when it is asked for it */
    public JoinedStreams(Iterator<? extends InputStream> streams) {
        this.streams = streams;
    }

    @Override
    public int read() throws IOException {
        int value = current.read();
        while (value < 0 && next()) {
            value = current.read();
        }

        return value;
    }

    @Override
    public int read(byte[] target, int from, int length) throws IOException {
        if (length == 0) {
            return 0; // some streams call it their end
        }

        int count = current.read(target, from, length);
        while (count < 0 && next()) {
            count = current.read(target, from, length);
        }

        return count;
    }

    private boolean next() throws IOException {
        if (!streams.hasNext()) {
            return false;
        }

        current.close();
        current = streams.next();
        return true;
    }

    @Override
    public void close() throws IOException {
        current.close();
    }
}
