package org.sparkqlora.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.shared.WeightBuffers;
import org.sparkqlora.tensor.ComputeThreads;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.Hardware;

/** Passes write each layer once, and none waits for one that has ended. */
@NullMarked
class SharedLayersTest {
    private static final int PASSES = 3;

    private final List<String> writes = Collections.synchronizedList(new ArrayList<>());
    private ComputeThreads threads;
    private WeightBuffers buffers;
    private SharedLayers layers;
    private BoundParameters policy;
    private BoundParameters reference;

    @BeforeEach
    void open() {
        threads = ComputeThreads.of(1, Hardware::processor);
        buffers = new WeightBuffers(ScalarType.Float, threads.hardware());
        layers = new SharedLayers(PASSES, buffers, threads);
        policy = none();
        reference = none();
    }

    @AfterEach
    void close() {
        buffers.close();
        threads.close();
    }

    @Test
    void eachLayerIsWrittenOnceByTheLastToCome() {
        List<CompletableFuture<Integer>> passes = start(PASSES, workspace -> {
            openAll(workspace, 0, 1, 2, 2, 1, 0);
            return 6;
        });

        passes.forEach(CompletableFuture::join);
        assertThat(writes).containsExactly("0", "1", "2", "2", "1", "0");
    }

    @Test
    void passesThatEndEarlierAreNotWaitedFor() {
        List<CompletableFuture<Integer>> longer = start(PASSES - 1, workspace -> {
            openAll(workspace, 0, 1, 2);
            return 3;
        });
        start(1, workspace -> {
            openAll(workspace, 0);
            return 1;
        });

        longer.forEach(CompletableFuture::join);
        assertThat(writes).containsExactly("0", "1", "2");
    }

    @Test
    void aPassOfOtherParametersGoesOnByItself() {
        List<CompletableFuture<Integer>> passes = new ArrayList<>(start(PASSES - 1, workspace -> {
            openAll(policy, workspace, 0, 1);
            return 2;
        }));
        passes.addAll(start(1, workspace -> {
            openAll(reference, workspace, 0);
            openAll(policy, workspace, 0, 1);
            return 3;
        }));

        passes.forEach(CompletableFuture::join);
        assertThat(writes.stream().filter("1"::equals)).hasSizeBetween(2, PASSES);
    }

    @Test
    void aFailureEndsAll() {
        List<CompletableFuture<Integer>> others = start(PASSES - 1, workspace -> {
            openAll(workspace, 0, 1);
            return 2;
        });
        start(1, workspace -> {
            openAll(workspace, 0);
            throw new IllegalStateException("broken");
        });

        for (CompletableFuture<Integer> other : others) {
            assertThatThrownBy(other::join)
                    .isInstanceOf(CompletionException.class)
                    .hasRootCauseMessage("broken");
        }
    }

    @Test
    void aCancelledPassDoesNotWait() {
        AtomicBoolean stopped = new AtomicBoolean();
        CompletableFuture<Integer> alone = CompletableFuture.supplyAsync(
                () -> layers.run(new Workspace(buffers, threads), stopped::get, workspace -> {
                    openAll(workspace, 0);
                    return 1;
                }));
        stopped.set(true);

        assertThatThrownBy(alone::join)
                .hasRootCauseInstanceOf(CancellationException.class)
                .hasRootCauseMessage("Cannot finish a micro-batch: its task was cancelled");
    }

    private BoundParameters none() {
        return new BoundParameters(
                ParameterIndex.builder().build(), FlatVector.zeros(0), ScalarType.Float, threads.hardware());
    }

    private List<CompletableFuture<Integer>> start(int count, Function<Workspace, Integer> pass) {
        return IntStream.range(0, count)
                .mapToObj(i -> CompletableFuture.supplyAsync(
                        () -> layers.run(new Workspace(buffers, threads), () -> false, pass),
                        work -> new Thread(work).start()))
                .toList();
    }

    private void openAll(Workspace workspace, int... order) {
        openAll(policy, workspace, order);
    }

    private void openAll(BoundParameters parameters, Workspace workspace, int... order) {
        for (int layer : order) {
            workspace.open(new Workspace.LayerWeights(layer, parameters, false), opened -> {
                opened.fill(() -> writes.add(String.valueOf(layer)));
                return null;
            });
        }
    }
}
