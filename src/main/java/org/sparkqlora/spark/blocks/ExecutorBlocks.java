package org.sparkqlora.spark.blocks;

import java.io.IOException;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.network.buffer.ManagedBuffer;
import org.apache.spark.network.buffer.NioManagedBuffer;
import org.apache.spark.storage.BlockId;
import org.apache.spark.storage.BlockManager;
import org.apache.spark.storage.BroadcastBlockId;
import org.apache.spark.storage.StorageLevel;
import org.apache.spark.util.io.ChunkedByteBuffer;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.spark.cluster.ScalaMethod;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/**
 * Bytes that tasks leave with executors, for other tasks and the driver to fetch. Nobody keeps a list of them: a handle says where they
 * are. They are stored as blocks of one broadcast, so that all of them go with it, whoever has them.
 */
public final class ExecutorBlocks implements Serializable, AutoCloseable {
    /** Processes that have the same bytes, where there are as many. */
    public static final int COPIES = 2;

    private static final long serialVersionUID = 1L;
    private static final ClassTag<byte[]> BYTES = ClassTag$.MODULE$.apply(byte[].class);

    /** For a copy: the first may just have been lost. */
    private static final int MOST_ASKED = 3;

    private final Broadcast<String> owner;

    private ExecutorBlocks(Broadcast<String> owner) {
        this.owner = owner;
    }

    /** Driver only. */
    public static ExecutorBlocks open(JavaSparkContext context) {
        return new ExecutorBlocks(context.broadcast("blocks"));
    }

    /**
     * Leaves {@code bytes} in this process, and a copy in another one if there is another.
     *
     * @param name of letters, digits and underscores; the bytes that a name stands for never change
     * @param executors of the application
     */
    public Handle put(String name, byte[] bytes, List<ExecutorPlace> executors) {
        keep(name, bytes);
        List<ExecutorPlace> places = new ArrayList<>();
        places.add(ExecutorPlace.here());
        others(name, executors)
                .filter(other -> copied(name, bytes, other))
                .limit(COPIES - 1)
                .forEach(places::add);
        return new Handle(name, bytes.length, crc(ByteBuffer.wrap(bytes)), places);
    }

    private void keep(String name, byte[] bytes) {
        ChunkedByteBuffer buffer = new ChunkedByteBuffer(ByteBuffer.wrap(bytes));
        try {
            ScalaMethod.call(blocks(), "putBytes", id(name), buffer, level(), false, BYTES);
        } catch (Exception e) { // Spark throws some that no signature declares
            throw new IllegalStateException("Failed to leave %s in this process".formatted(name), e);
        }
    }

    /** Other executors to be asked in turn, not the same one first for all names. */
    private static Stream<ExecutorPlace> others(String name, List<ExecutorPlace> executors) {
        List<ExecutorPlace> others = new ArrayList<>(executors);
        others.remove(ExecutorPlace.here());
        Collections.rotate(others, Math.floorMod(name.hashCode(), Math.max(1, others.size())));
        return others.stream().limit(MOST_ASKED);
    }

    /** Whether {@code other} took a copy. It may be gone by now: then the bytes are in one place, as the handle says. */
    private boolean copied(String name, byte[] bytes, ExecutorPlace other) {
        try {
            ScalaMethod.call(
                    blocks().blockTransferService(),
                    "uploadBlockSync",
                    other.host(),
                    other.port(),
                    other.executor(),
                    id(name),
                    new NioManagedBuffer(ByteBuffer.wrap(bytes)),
                    level(),
                    BYTES);
            return true;
        } catch (NoSuchMethodException | IllegalArgumentException e) {
            throw new IllegalStateException("Failed to copy %s as this Spark wants it".formatted(name), e);
        } catch (Exception e) { // Spark throws some that no signature declares
            keepInterrupt(e);
            return false;
        }
    }

    /** The bytes, of this process if it has them. A {@link LostBlockException} if no one has them any more. */
    public byte[] fetch(Handle handle) {
        byte[] bytes = new byte[handle.length()];
        read(handle, found -> found.get(bytes));
        return bytes;
    }

    /** Lets {@code reader}, which may not keep them, read the bytes. A {@link LostBlockException} if no one has them any more. */
    public void read(Handle handle, Consumer<ByteBuffer> reader) {
        if (!readHere(handle, reader)) {
            reader.accept(fetchElsewhere(handle));
        }
    }

    /** Lets {@code reader} read the bytes where this process has them, and tells whether it has. */
    boolean readHere(Handle handle, Consumer<ByteBuffer> reader) {
        ManagedBuffer here = hereOrNull(handle.name());
        if (here == null) {
            return false;
        }

        try {
            reader.accept(handle.require(here.nioByteBuffer()));
        } catch (IOException e) {
            throw new LostBlockException("Failed to read %s: %s".formatted(handle.name(), e.getMessage()));
        } finally {
            here.release();
        }

        return true;
    }

    private @Nullable ManagedBuffer hereOrNull(String name) {
        if (!has(name)) {
            return null;
        }

        try {
            return blocks().getLocalBlockData(id(name));
        } catch (Exception e) { // forgotten since: Spark throws what no signature declares
            return null;
        }
    }

    /** The bytes, of another process that has them. */
    ByteBuffer fetchElsewhere(Handle handle) {
        LostBlockException lost =
                new LostBlockException("%s is lost with %s".formatted(handle.name(), handle.places()));
        List<ExecutorPlace> places = handle.places();
        int first = Math.floorMod(ExecutorPlace.here().executor().hashCode(), places.size());
        for (int i = 0; i < places.size(); i++) {
            ExecutorPlace place = places.get((first + i) % places.size());
            try {
                return handle.require(bytesOf(blocks().blockTransferService()
                        .fetchBlockSync(
                                place.host(),
                                place.port(),
                                place.executor(),
                                id(handle.name()).name(),
                                null)));
            } catch (Exception e) { // Spark throws some that no signature declares
                keepInterrupt(e);
                lost.addSuppressed(e);
            }
        }

        throw lost;
    }

    private static void keepInterrupt(Exception e) {
        if (e instanceof InterruptedException) {
            Thread.currentThread().interrupt();
        }
    }

    /** Forgets what this process has under {@code name}, if anything. */
    public void forget(String name) {
        if (has(name)) {
            blocks().removeBlock(id(name), false);
        }
    }

    /** What all these blocks are known by when they have been closed. */
    public long owner() {
        return owner.id();
    }

    /** Forgets what tasks that came too late left in this process after the blocks of {@code owner} were closed. */
    public static void forgetAll(long owner) {
        blocks().removeBroadcast(owner, false);
    }

    /** Driver only: all bytes go, wherever they are. */
    @Override
    public void close() {
        owner.destroy();
    }

    boolean has(String name) {
        return blocks().getStatus(id(name)).isDefined();
    }

    /** Of a buffer that is in memory, all of which it may keep. */
    private static ByteBuffer bytesOf(ManagedBuffer buffer) throws IOException {
        try {
            return buffer.nioByteBuffer();
        } finally {
            buffer.release();
        }
    }

    private static int crc(ByteBuffer bytes) {
        CRC32C sum = new CRC32C();
        sum.update(bytes.duplicate());
        return (int) sum.getValue();
    }

    private BlockId id(String name) {
        return new BroadcastBlockId(owner.id(), name);
    }

    private static StorageLevel level() {
        return StorageLevel.MEMORY_AND_DISK_SER();
    }

    private static BlockManager blocks() {
        return SparkEnv.get().blockManager();
    }

    /**
     * A handle of bytes.
     *
     * @param name their name
     * @param length their count
     * @param checksum CRC-32C of them
     * @param places who had them when they were left
     */
    public record Handle(String name, int length, int checksum, List<ExecutorPlace> places) implements Serializable {
        public Handle {
            places = List.copyOf(places);
        }

        private ByteBuffer require(ByteBuffer bytes) {
            if (bytes.remaining() != length || crc(bytes) != checksum) {
                throw new LostBlockException("%s is damaged: expected %d bytes with their checksum, found %d"
                        .formatted(name, length, bytes.remaining()));
            }

            return bytes;
        }
    }

    /** Bytes that no one has any more. */
    public static final class LostBlockException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        LostBlockException(String message) {
            super(message);
        }
    }
}
