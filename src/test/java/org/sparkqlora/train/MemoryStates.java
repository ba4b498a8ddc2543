package org.sparkqlora.train;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.metrics.StepMetrics;

/** Keeps the bytes of every State. */
class MemoryStates implements StateStore {
    final TreeMap<Long, byte[]> saved = new TreeMap<>();
    private final Map<Long, StepMetrics> unevaluated = new HashMap<>();

    @Override
    public Optional<Stored> newest() {
        return Optional.ofNullable(saved.lastEntry())
                .map(entry -> new InMemory(
                        entry.getKey(), entry.getValue(), Optional.ofNullable(unevaluated.get(entry.getKey()))));
    }

    @Override
    public void save(SavedState state, Optional<StepMetrics> step) {
        saved.put(state.version(), TrainFixture.bytes(state));
        unevaluated.remove(state.version());
        step.ifPresent(taken -> unevaluated.put(state.version(), taken));
    }

    @Override
    public void clear() {
        saved.clear();
    }

    private record InMemory(long version, byte[] bytes, Optional<StepMetrics> unevaluated) implements Stored {
        private static final OptimizerSpec OPTIMIZER =
                TrainFixture.plan(TrainFixture.batches(2, 4, 1)).optimizer();

        @Override
        public TrainState read() {
            try {
                return TrainState.read(stream(), OPTIMIZER, StateHome.inMemory(new Workers(1)));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public FlatVector parameters() {
            try {
                return TrainState.readParameters(stream(), OPTIMIZER, StateHome.inMemory(new Workers(1)));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private DataInputStream stream() {
            return new DataInputStream(new ByteArrayInputStream(bytes));
        }
    }
}
