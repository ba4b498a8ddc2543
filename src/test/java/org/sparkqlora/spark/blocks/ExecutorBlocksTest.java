package org.sparkqlora.spark.blocks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.sparkqlora.spark.blocks.ExecutorBlocks.Handle;
import org.sparkqlora.spark.blocks.ExecutorBlocks.LostBlockException;
import org.sparkqlora.spark.job.Clusters;

@Tag("spark-line")
class ExecutorBlocksTest {
    private static final byte[] BYTES = "some bytes".getBytes(StandardCharsets.UTF_8);

    private static JavaSparkContext context;

    @BeforeAll
    static void startCluster() {
        context = Clusters.start(Clusters.TWO_EXECUTORS);
        Clusters.awaitExecutors(context, 2);
    }

    @AfterAll
    static void stopCluster() {
        context.close();
    }

    @Test
    void bytesOfATaskAreInTwoExecutorsAndComeToTheDriver() {
        try (ExecutorBlocks blocks = ExecutorBlocks.open(context)) {
            Handle handle = leave(blocks, ExecutorPlace.all());

            assertThat(handle.places())
                    .hasSize(ExecutorBlocks.COPIES)
                    .containsExactlyInAnyOrderElementsOf(ExecutorPlace.all());
            assertThat(blocks.fetch(handle)).isEqualTo(BYTES);
            for (ExecutorPlace place : handle.places()) {
                assertThat(blocks.fetch(at(handle, List.of(place)))).isEqualTo(BYTES);
            }
        }
    }

    @Test
    void anExecutorThatIsGoneIsPassedOver() {
        ExecutorPlace gone = new ExecutorPlace("77", "127.0.0.1", 1);
        try (ExecutorBlocks blocks = ExecutorBlocks.open(context)) {
            Handle handle = leave(blocks, List.of(gone));

            assertThat(handle.places()).singleElement().isNotEqualTo(gone);
            assertThat(blocks.fetch(at(handle, List.of(gone, handle.places().get(0)))))
                    .isEqualTo(BYTES);
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

    private static Handle leave(ExecutorBlocks blocks, List<ExecutorPlace> executors) {
        byte[] handle = context.parallelize(List.of(BYTES), 1)
                .map(bytes -> written(blocks.put("piece", bytes, executors)))
                .first();
        return read(handle);
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
