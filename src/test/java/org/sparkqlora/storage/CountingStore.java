package org.sparkqlora.storage;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.URI;
import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.CanUnbuffer;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.StreamCapabilities;

/**
 * A store over local folders, of the scheme {@code counting}, that counts its open streams, those of them that hold a connection, and the
 * requests to it. As on S3, a stream holds a connection from its first read until it is unbuffered or closed.
 */
public final class CountingStore extends RawLocalFileSystem {
    public static final Count OPEN = new Count();
    public static final Count CONNECTIONS = new Count();
    public static final AtomicInteger DELETES = new AtomicInteger();
    public static final AtomicInteger LISTINGS = new AtomicInteger();
    /** Names of files that were asked for and are not there: of S3, a listing each. */
    public static final Queue<String> MISSED = new ConcurrentLinkedQueue<>();

    public static final AtomicInteger REQUESTS = new AtomicInteger();

    private static final AtomicInteger FAILURES = new AtomicInteger();
    private static volatile CountDownLatch together = new CountDownLatch(0);

    public static Configuration install() {
        return installIn(new Configuration());
    }

    public static Configuration installIn(Configuration configuration) {
        configuration.set("fs.counting.impl", CountingStore.class.getName());
        OPEN.reset();
        CONNECTIONS.reset();
        REQUESTS.set(0);
        DELETES.set(0);
        LISTINGS.set(0);
        MISSED.clear();
        FAILURES.set(0);
        together = new CountDownLatch(0);
        return configuration;
    }

    public static String path(java.nio.file.Path folder) {
        return "counting:" + folder;
    }

    /** The next so many requests fail. */
    public static void fail(int requests) {
        FAILURES.set(requests);
    }

    /** Each request waits until so many are under way. */
    public static void answerTogether(int requests) {
        together = new CountDownLatch(requests);
    }

    @Override
    public String getScheme() {
        return "counting";
    }

    @Override
    public URI getUri() {
        return URI.create("counting:///");
    }

    @Override
    public FSDataInputStream open(Path file, int bufferSize) throws IOException {
        FSDataInputStream in = super.open(file, bufferSize);
        OPEN.add();
        return new FSDataInputStream(new Counted(in));
    }

    @Override
    public boolean delete(Path file, boolean recursive) throws IOException {
        DELETES.incrementAndGet();
        awaitOthers();
        return super.delete(file, recursive);
    }

    @Override
    public FileStatus[] listStatus(Path folder) throws IOException {
        LISTINGS.incrementAndGet();
        return Arrays.stream(super.listStatus(folder))
                .map(CountingStore::withoutOwner)
                .toArray(FileStatus[]::new);
    }

    @Override
    public FileStatus getFileStatus(Path file) throws IOException {
        try {
            return super.getFileStatus(file);
        } catch (FileNotFoundException e) {
            MISSED.add(file.getName());
            throw e;
        }
    }

    /** The local file system asks for an owner by paths of its own scheme alone. */
    private static FileStatus withoutOwner(FileStatus local) {
        return new FileStatus(
                local.getLen(),
                local.isDirectory(),
                local.getReplication(),
                local.getBlockSize(),
                local.getModificationTime(),
                local.getPath());
    }

    private static void awaitOthers() throws IOException {
        together.countDown();
        try {
            if (!together.await(30, TimeUnit.SECONDS)) {
                throw new IOException("no other request came");
            }
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    /** A number of things: that are there now, the most that ever were, and all. */
    public static final class Count {
        private int now;
        private int most;
        private int all;

        private synchronized void add() {
            all++;
            now++;
            most = Math.max(most, now);
        }

        private synchronized void remove() {
            now--;
        }

        private synchronized void reset() {
            now = 0;
            most = 0;
            all = 0;
        }

        public synchronized int now() {
            return now;
        }

        public synchronized int most() {
            return most;
        }

        public synchronized int all() {
            return all;
        }
    }

    /** Counts what it holds. */
    private static final class Counted extends FSInputStream implements CanUnbuffer, StreamCapabilities {
        private final FSDataInputStream in;
        private boolean connected;
        private boolean closed;

        private Counted(FSDataInputStream in) {
            this.in = in;
        }

        @Override
        public int read(long position, byte[] bytes, int from, int count) throws IOException {
            connect();
            REQUESTS.incrementAndGet();
            if (FAILURES.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
                throw new IOException("connection reset");
            }

            awaitOthers();
            return in.read(position, bytes, from, count);
        }

        private synchronized void connect() {
            if (!connected) {
                connected = true;
                CONNECTIONS.add();
            }
        }

        @Override
        public synchronized void unbuffer() {
            if (connected) {
                connected = false;
                CONNECTIONS.remove();
            }
        }

        @Override
        public boolean hasCapability(String capability) {
            return capability.equals(StreamCapabilities.UNBUFFER);
        }

        @Override
        public synchronized void close() throws IOException {
            if (!closed) {
                closed = true;
                unbuffer();
                OPEN.remove();
                in.close();
            }
        }

        @Override
        public int read() throws IOException {
            connect();
            awaitOthers();
            return in.read();
        }

        @Override
        public void seek(long position) throws IOException {
            in.seek(position);
        }

        @Override
        public long getPos() throws IOException {
            return in.getPos();
        }

        @Override
        public boolean seekToNewSource(long position) {
            return false;
        }
    }
}
