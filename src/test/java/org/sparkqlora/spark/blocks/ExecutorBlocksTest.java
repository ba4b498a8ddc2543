package org.sparkqlora.spark.blocks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.storage.BlockId;
import org.apache.spark.storage.BlockInfoManager;
import org.apache.spark.storage.BroadcastBlockId;
import org.apache.spark.util.CollectionAccumulator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.sparkqlora.spark.blocks.ExecutorBlocks.Handle;
import org.sparkqlora.spark.blocks.ExecutorBlocks.LostBlockException;
import org.sparkqlora.spark.job.Clusters;
import scala.Option;

@Tag("spark-line")
class ExecutorBlocksTest {
    private static final byte[] BYTES = "some bytes".getBytes(StandardCharsets.UTF_8);

    private static final long PAUSE = 100;
    private static final long SHORT_PAUSE = 10;
    private static final int LARGE = 1 << 22;

    /** Enough that the threads of some are not quick enough. */
    private static final int STREAMS = 30;

    private static JavaSparkContext context;

    @BeforeAll
    static void startCluster() {
        context = Clusters.start(Clusters.TWO_EXECUTORS);
        Clusters.awaitPlaces(2);
    }

    @AfterAll
    static void stopCluster() {
        context.close();
    }

    @Test
    void bytesOfATaskComeToTheDriverAndStayWithWhoReadsThem() {
        try (ExecutorBlocks blocks = ExecutorBlocks.open(context)) {
            Handle handle = leave(blocks, ExecutorPlace.all());

            assertThat(handle.places()).hasSize(2).containsExactlyInAnyOrderElementsOf(ExecutorPlace.all());
            assertThat(blocks.fetch(handle)).isEqualTo(BYTES);
            assertThat(holders(blocks)).containsExactly(handle.places().get(0).executor());

            inEachExecutor(() -> blocks.fetch(handle));

            assertThat(holders(blocks)).containsExactlyInAnyOrder(ids(handle.places()));
            for (ExecutorPlace place : handle.places()) {
                assertThat(blocks.fetch(at(handle, List.of(place)))).isEqualTo(BYTES);
            }
        }
    }

    @Test
    void whoIsNotToKeepWhatItReadsDoesNot() {
        try (ExecutorBlocks blocks = ExecutorBlocks.open(context)) {
            Handle handle = leave(blocks, List.of());

            inEachExecutor(() -> blocks.fetch(handle));

            assertThat(holders(blocks)).containsExactly(ids(handle.places())).hasSize(1);
        }
    }

    @Test
    void aCopyServesAfterTheFirstIsGone() {
        try (ExecutorBlocks blocks = ExecutorBlocks.open(context)) {
            Handle handle = leave(blocks, ExecutorPlace.all());
            inEachExecutor(() -> blocks.fetch(handle));

            inEachExecutor(() -> {
                if (ExecutorPlace.here().equals(handle.places().get(0))) {
                    blocks.forget(handle.name());
                }
            });

            assertThat(blocks.fetch(handle)).isEqualTo(BYTES);
        }
    }

    @Test
    void anExecutorThatIsGoneIsPassedOver() {
        ExecutorPlace gone = new ExecutorPlace("77", "127.0.0.1", 1);
        try (ExecutorBlocks blocks = ExecutorBlocks.open(context)) {
            Handle handle = leave(blocks, List.of(gone));

            assertThat(handle.places()).hasSize(2).endsWith(gone);
            assertThat(blocks.fetch(at(handle, List.of(gone, handle.places().get(0)))))
                    .isEqualTo(BYTES);
        }
    }

    @Test
    void asManyKeepACopyAsAreAskedFor() {
        List<ExecutorPlace> gone = IntStream.range(70, 75)
                .mapToObj(id -> new ExecutorPlace(Integer.toString(id), "127.0.0.1", 1))
                .toList();
        try (ExecutorBlocks blocks = ExecutorBlocks.open(context)) {
            Handle handle = leave(blocks, gone, 4);

            assertThat(handle.places()).hasSize(4).doesNotHaveDuplicates();
            assertThat(gone).containsAll(handle.places().subList(1, 4));
            assertThat(blocks.fetch(handle)).isEqualTo(BYTES);
            assertThat(leave(blocks, gone, 9).places()).hasSize(6);
        }
    }

    @Test
    void theMemoryOfABlockIsFreedWithIt() {
        try (ExecutorBlocks blocks = ExecutorBlocks.open(context)) {
            long[] used = context.parallelize(List.of(0), 1)
                    .map(task -> {
                        long before = DirectMemory.bytes();
                        blocks.put("large", new BlockMemory(LARGE));
                        long kept = DirectMemory.bytes();
                        blocks.forget("large");
                        return new long[] {kept - before, DirectMemory.bytes() - before};
                    })
                    .first();

            assertThat(used[0]).isGreaterThanOrEqualTo(LARGE);
            assertThat(used[1]).isLessThan(LARGE);
        }
    }

    @Test
    void whatNoOneHasIsLost() {
        try (ExecutorBlocks blocks = ExecutorBlocks.open(context)) {
            Handle handle = leave(blocks, List.of());
            context.parallelize(List.of(0, 1, 2, 3), 4).foreach(task -> blocks.forget(handle.name()));

            assertThatThrownBy(() -> blocks.fetch(handle))
                    .isInstanceOf(LostBlockException.class)
                    .hasMessageStartingWith("piece is lost with [executor ");
        }
    }

    @Test
    void damagedBytesAreLostToo() {
        try (ExecutorBlocks blocks = ExecutorBlocks.open(context)) {
            Handle handle = leave(blocks, List.of());
            Handle other = new Handle(handle.name(), handle.length(), handle.checksum() + 1, handle.places());

            assertThatThrownBy(() -> blocks.fetch(other))
                    .isInstanceOf(LostBlockException.class)
                    .satisfies(lost -> assertThat(lost.getSuppressed()[0])
                            .hasMessageStartingWith("piece is damaged: expected 10 bytes"));
        }
    }

    /** The fetch behind those that are under way may not have begun when one of them fails. */
    @Test
    @Timeout(value = 3, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void aStreamEndsWithTheFirstBlockThatIsLost() {
        try (ExecutorBlocks blocks = ExecutorBlocks.open(context)) {
            Handle first = leave(blocks, List.of());
            List<Handle> handles = Stream.concat(
                            Stream.of(first),
                            IntStream.range(0, 3).mapToObj(i -> new Handle("lost_" + i, 1, 0, first.places())))
                    .toList();

            for (int i = 0; i < STREAMS; i++) {
                try (BlockStream stream = new BlockStream(blocks, handles)) {
                    stream.next(bytes -> {});
                    Thread.sleep(SHORT_PAUSE); // the next two are found lost

                    assertThatThrownBy(() -> stream.next(bytes -> {})).hasMessageStartingWith("lost_0 is lost");
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            }
        }
    }

    /** As Spark interrupts a task whose copy was faster: what readers fill goes back to where it is used again. */
    @Test
    void whoIsInterruptedLeavesNoReaderBehind() throws InterruptedException, ExecutionException {
        try (ExecutorBlocks blocks = ExecutorBlocks.open(context)) {
            Handle handle = leave(blocks, List.of());
            CountDownLatch begun = new CountDownLatch(1);
            AtomicBoolean ended = new AtomicBoolean();
            FutureTask<Boolean> reading = new FutureTask<>(() -> {
                assertThatThrownBy(() -> new BlockReads(blocks, List.of(handle)).each((bytes, part) -> {
                            begun.countDown();
                            computeFor(PAUSE);
                            ended.set(true);
                        }))
                        .isInstanceOf(LostBlockException.class)
                        .hasMessage("interrupted while reading blocks");
                return ended.get() && Thread.currentThread().isInterrupted();
            });
            Thread task = new Thread(reading);
            task.start();
            begun.await();
            task.interrupt();

            assertThat(reading.get()).isTrue();
        }
    }

    @Test
    void whoIsInterruptedWhileItWaitsForABlockStaysSo() throws InterruptedException, ExecutionException {
        try (ExecutorBlocks blocks = ExecutorBlocks.open(context)) {
            Handle handle = blocks.put("here", memory(BYTES));
            BlockId id = new BroadcastBlockId(blocks.owner(), "here");
            BlockInfoManager locks = SparkEnv.get().blockManager().blockInfoManager();
            locks.lockForWriting(id, true);
            FutureTask<Boolean> reading = new FutureTask<>(() -> {
                assertThatThrownBy(() -> blocks.fetch(handle)).hasMessageStartingWith("here is lost with [executor ");
                return Thread.currentThread().isInterrupted();
            });
            Thread task = new Thread(reading);
            task.start();
            task.interrupt();

            assertThat(reading.get()).isTrue();
            locks.unlock(id, Option.empty());
        }
    }

    /** Hears of no interrupt. */
    private static void computeFor(long millis) {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        while (System.nanoTime() < end) {
            Thread.onSpinWait();
        }
    }

    /** Runs it at least once in each. */
    private static void inEachExecutor(Task task) {
        Set<String> reached = new TreeSet<>();
        await().until(() -> {
            reached.addAll(context.parallelize(List.of(0, 1, 2, 3), 4)
                    .map(number -> {
                        Thread.sleep(PAUSE); // so that both take some
                        task.run();
                        return ExecutorPlace.here().executor();
                    })
                    .collect());
            return reached.size() == 2;
        });
    }

    /** The executors that have the piece. */
    private static Set<String> holders(ExecutorBlocks blocks) {
        CollectionAccumulator<String> found = context.sc().collectionAccumulator();
        inEachExecutor(() -> {
            if (blocks.has("piece")) {
                found.add(ExecutorPlace.here().executor());
            }
        });
        return Set.copyOf(found.value());
    }

    private static String[] ids(List<ExecutorPlace> places) {
        return places.stream().map(ExecutorPlace::executor).toArray(String[]::new);
    }

    private interface Task extends Serializable {
        void run();
    }

    private static Handle leave(ExecutorBlocks blocks, List<ExecutorPlace> executors) {
        return leave(blocks, executors, 2);
    }

    private static Handle leave(ExecutorBlocks blocks, List<ExecutorPlace> executors, int copies) {
        byte[] handle = context.parallelize(List.of(BYTES), 1)
                .map(bytes -> written(blocks.put("piece", memory(bytes), executors, copies)))
                .first();
        return read(handle);
    }

    private static BlockMemory memory(byte[] bytes) {
        BlockMemory memory = new BlockMemory(bytes.length);
        memory.bytes().put(bytes);
        return memory;
    }

    private static byte[] written(Handle handle) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(handle);
        }

        return bytes.toByteArray();
    }

    private static Handle read(byte[] bytes) {
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes))) {
            return (Handle) in.readObject();
        } catch (IOException | ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Handle at(Handle handle, List<ExecutorPlace> places) {
        return new Handle(handle.name(), handle.length(), handle.checksum(), places);
    }
}
