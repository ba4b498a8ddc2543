package org.sparkqlora.spark.exchange;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.spark.blocks.ExecutorBlocks;
import org.sparkqlora.spark.blocks.ExecutorPlace;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.VectorPool;
import org.sparkqlora.train.SummedGradient;
import org.sparkqlora.train.UnreachableStateException;

/**
 * A summed gradient that stays, in parts, with the executors that added it: a handle of some kilobytes. Whoever needs the numbers fetches
 * them there.
 *
 * @param sums among which it is
 * @param step of which it is
 * @param parts in their order
 * @param squares sum of the squares of all numbers
 */
record HeldGradient(HeldSums sums, long step, List<ExecutorBlocks.Handle> parts, double squares)
        implements SummedGradient {
    /** Fetches at once: enough to keep a link busy, few beside the tasks that compute. */
    private static final int MOST_FETCHES = 4;

    HeldGradient {
        parts = List.copyOf(parts);
    }

    @Override
    public long length() {
        return sums.layout().length();
    }

    /** This gradient, whose squares were summed in another order. */
    HeldGradient withSquares(double summed) {
        return new HeldGradient(sums, step, parts, summed);
    }

    @Override
    public FlatVector vector() {
        FlatVector vector = FlatVector.zeros(length());
        fetchInto(vector);
        return vector;
    }

    /** The numbers in a vector of {@code pool}, which has them again after {@code reader}. */
    @Override
    public void lend(VectorPool pool, Consumer<FlatVector> reader) {
        try (FlatVector vector = pool.zeros()) {
            fetchInto(vector);
            reader.accept(vector);
        }
    }

    private void fetchInto(FlatVector vector) {
        sums.forgetBefore(step);
        ExecutorService threads =
                Executors.newFixedThreadPool(Math.min(parts.size(), MOST_FETCHES), Workers.daemons("gradient-fetch"));
        try {
            for (Future<Void> fetch : threads.invokeAll(fetches(vector))) {
                fetch.get();
            }
        } catch (ExecutionException e) {
            throw new UnreachableStateException("a sum of gradients is lost: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UnreachableStateException("interrupted while fetching a sum of gradients", e);
        } finally {
            threads.shutdownNow();
        }
    }

    private List<Callable<Void>> fetches(FlatVector vector) {
        List<Integer> order =
                new ArrayList<>(IntStream.range(0, parts.size()).boxed().toList());
        Collections.rotate(order, ExecutorPlace.here().hashCode()); // not all ask the same executor first
        order.sort(Comparator.comparing(parts::get, ExecutorBlocks.readingOrder()));
        return order.stream()
                .<Callable<Void>>map(part -> () -> fetch(part, vector))
                .toList();
    }

    /** Replicas may need the numbers later: the run drops them when they cannot. */
    @Override
    public void close() {}

    private Void fetch(int part, FlatVector vector) {
        long start = sums.layout().startOfPart(part);
        sums.blocks().read(parts.get(part), bytes -> sums.format().sum().write(bytes, vector, start));
        return null;
    }
}
