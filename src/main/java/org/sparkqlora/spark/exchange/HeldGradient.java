package org.sparkqlora.spark.exchange;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.sparkqlora.spark.blocks.ExecutorBlocks;
import org.sparkqlora.spark.blocks.ExecutorPlace;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.SummedGradient;
import org.sparkqlora.train.UnreachableStateException;

/**
 * A summed gradient that stays, in parts, with the executors that added it: a handle of some kilobytes. Whoever needs the numbers fetches
 * them there.
 *
 * @param blocks among which the parts are
 * @param layout how the parts lie in the vector
 * @param dtype number format of the parts
 * @param parts in their order
 * @param squares sum of the squares of all numbers
 */
record HeldGradient(
        ExecutorBlocks blocks,
        SliceLayout layout,
        GradientDtype dtype,
        List<ExecutorBlocks.Handle> parts,
        double squares)
        implements SummedGradient {
    private static final long serialVersionUID = 1L;

    /** Fetches at once: enough to keep a link busy, few beside the tasks that compute. */
    private static final int MOST_FETCHES = 4;

    HeldGradient {
        parts = List.copyOf(parts);
    }

    @Override
    public long length() {
        return layout.length();
    }

    /** This gradient, whose squares were summed in another order. */
    HeldGradient withSquares(double summed) {
        return new HeldGradient(blocks, layout, dtype, parts, summed);
    }

    @Override
    public FlatVector vector() {
        FlatVector vector = FlatVector.zeros(layout.length());
        ExecutorService threads =
                Executors.newFixedThreadPool(Math.min(parts.size(), MOST_FETCHES), HeldGradient::thread);
        try {
            List<Callable<Void>> fetches = new ArrayList<>();
            IntStream.range(0, parts.size()).forEach(part -> fetches.add(() -> fetch(part, vector)));
            Collections.rotate(fetches, ExecutorPlace.here().hashCode()); // not all ask the same executor first
            for (Future<Void> fetch : threads.invokeAll(fetches)) {
                fetch.get();
            }

            return vector;
        } catch (ExecutionException e) {
            throw new UnreachableStateException("a sum of gradients is lost: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UnreachableStateException("interrupted while fetching a sum of gradients", e);
        } finally {
            threads.shutdownNow();
        }
    }

    /** Replicas may need the numbers later: the run drops them when they cannot. */
    @Override
    public void close() {}

    private Void fetch(int part, FlatVector vector) {
        blocks.read(parts.get(part), bytes -> dtype.write(bytes, vector, layout.startOfPart(part)));
        return null;
    }

    private static Thread thread(Runnable work) {
        Thread thread = new Thread(work, "gradient-fetch");
        thread.setDaemon(true);
        return thread;
    }
}
