package org.sparkqlora.spark.blocks;

import java.io.IOException;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.network.buffer.ManagedBuffer;
import org.apache.spark.storage.BlockId;
import org.apache.spark.storage.BlockManager;
import org.apache.spark.storage.BlockStatus;
import org.apache.spark.storage.BroadcastBlockId;
import org.apache.spark.storage.StorageLevel;
import org.apache.spark.util.io.ChunkedByteBuffer;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.spark.cluster.Broadcasts;
import org.sparkqlora.spark.cluster.ScalaMethod;
import scala.Option;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/**
 * Bytes that tasks leave with executors, for other tasks and the driver to fetch. Nobody keeps a list of them: a handle says where they
 * are. They are stored as blocks of one broadcast, so that all of them go with it, whoever has them.
 */
public final class ExecutorBlocks implements Serializable, AutoCloseable {
    private static final long serialVersionUID = 1L;
    private static final ClassTag<byte[]> BYTES = ClassTag$.MODULE$.apply(byte[].class);

    private final Broadcast<String> owner;

    private ExecutorBlocks(Broadcast<String> owner) {
        this.owner = owner;
    }

    /** Driver only. */
    public static ExecutorBlocks open(JavaSparkContext context) {
        return new ExecutorBlocks(context.broadcast("blocks"));
    }

    /**
     * Leaves bytes in this process, and copies in others as soon as those have read them.
     *
     * @param name of letters, digits and underscores; the bytes that a name stands for never change
     * @param memory all of which they are; it is this process's from now on
     * @param readers that will read them, among which those who keep a copy are chosen; this process does not count
     * @param copies with this process's, at most
     */
    public Handle put(String name, BlockMemory memory, List<ExecutorPlace> readers, int copies) {
        ByteBuffer bytes = memory.bytes();
        Handle handle =
                new Handle(name, bytes.remaining(), crc(bytes), List.of(ExecutorPlace.here())).keptBy(readers, copies);
        keep(name, memory, StorageMemory.here().level());
        return handle;
    }

    /** Leaves bytes in this process alone. */
    public Handle put(String name, BlockMemory memory) {
        return put(name, memory, List.of(), 1);
    }

    /** Leaves bytes in this process alone, on its disk. */
    public Handle putOnDisk(String name, BlockMemory memory) {
        ByteBuffer bytes = memory.bytes();
        Handle handle = new Handle(name, bytes.remaining(), crc(bytes), List.of(ExecutorPlace.here()));
        keep(name, memory, StorageLevel.DISK_ONLY());
        return handle;
    }

    /** Where Spark's storage memory is full it is written to disk, and nothing frees the memory but this. */
    private void keep(String name, BlockMemory memory, StorageLevel level) {
        ChunkedByteBuffer bytes = memory.release();
        try {
            ScalaMethod.call(blocks(), "putBytes", id(name), bytes, level, false, BYTES);
            if (!isInMemory(name)) {
                bytes.dispose();
            }
        } catch (Exception e) { // Spark throws some that no signature declares
            throw new IllegalStateException("Failed to leave %s in this process".formatted(name), e);
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
            try (BlockMemory fetched = fetchElsewhere(handle)) {
                reader.accept(fetched.bytes());
                if (keeps(handle)) {
                    keep(handle.name(), fetched, StorageMemory.here().level());
                }
            }
        }
    }

    /** Whether this process keeps what it reads. */
    private static boolean keeps(Handle handle) {
        return handle.places().contains(ExecutorPlace.here());
    }

    /**
     * The order in which a process reads blocks of which others keep copies: those first that it keeps itself, then those for which it
     * asks who left them, and those last for which it asks one that keeps what it reads, which has read it by then.
     */
    static Comparator<Handle> readingOrder() {
        return Comparator.comparingInt(handle -> keeps(handle) ? -1 : firstAsked(handle));
    }

    /** Who keeps a copy asks who left the bytes; the others share out all that have them. */
    private static int firstAsked(Handle handle) {
        int reader =
                31 * ExecutorPlace.here().executor().hashCode() + handle.name().hashCode();
        return keeps(handle) ? 0 : Math.floorMod(reader, handle.places().size());
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
        } catch (Exception e) { // forgotten since, or interrupted: Spark throws what no signature declares
            keepInterrupt(e);
            return null;
        }
    }

    /** The bytes, of another process that has them. */
    BlockMemory fetchElsewhere(Handle handle) {
        LostBlockException lost =
                new LostBlockException("%s is lost with %s".formatted(handle.name(), handle.places()));
        List<ExecutorPlace> places = new ArrayList<>(handle.places());
        places.add(0, places.remove(firstAsked(handle)));
        places.remove(ExecutorPlace.here());
        for (ExecutorPlace place : places) {
            try {
                return fetch(handle, place);
            } catch (Exception e) { // Spark throws some that no signature declares
                keepInterrupt(e);
                lost.addSuppressed(e);
            }
        }

        throw lost;
    }

    private BlockMemory fetch(Handle handle, ExecutorPlace place) throws Exception {
        BlockMemory memory = new BlockMemory(handle.length());
        try {
            BlockFetch.from(place, id(handle.name()).name()).into(memory.bytes());
            handle.require(memory.bytes());
            return memory;
        } catch (Exception | Error e) {
            memory.close();
            throw e;
        }
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
        Broadcasts.destroy(owner);
    }

    private boolean isInMemory(String name) {
        Option<BlockStatus> status = blocks().getStatus(id(name));
        return status.isDefined() && status.get().memSize() > 0;
    }

    boolean has(String name) {
        return blocks().getStatus(id(name)).isDefined();
    }

    private static int crc(ByteBuffer bytes) {
        CRC32C sum = new CRC32C();
        sum.update(bytes.duplicate());
        return (int) sum.getValue();
    }

    private BlockId id(String name) {
        return new BroadcastBlockId(owner.id(), name);
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
     * @param places who left them, and who keeps a copy from when it has read them
     */
    public record Handle(String name, int length, int checksum, List<ExecutorPlace> places) implements Serializable {
        public Handle {
            places = List.copyOf(places);
        }

        /** A handle of the same bytes, which {@code other}, made by itself, has at other places. */
        public Handle withCopy(Handle other) {
            if (!name.equals(other.name) || length != other.length || checksum != other.checksum) {
                throw new IllegalStateException("Cannot take %s of %s for %s of %s: their bytes differ"
                        .formatted(other.name, other.places, name, places));
            }

            return new Handle(
                    name,
                    length,
                    checksum,
                    Stream.concat(places.stream(), other.places.stream())
                            .distinct()
                            .toList());
        }

        /** A handle by which some of {@code readers}, not the same ones for all names, keep what they read: {@code copies} places at most. */
        public Handle keptBy(List<ExecutorPlace> readers, int copies) {
            List<ExecutorPlace> others = new ArrayList<>(readers.stream()
                    .filter(place -> !places.contains(place))
                    .distinct()
                    .toList());
            Collections.rotate(others, -name.hashCode());
            return new Handle(
                    name,
                    length,
                    checksum,
                    Stream.concat(places.stream(), others.stream().limit(Math.max(0, copies - places.size())))
                            .toList());
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
