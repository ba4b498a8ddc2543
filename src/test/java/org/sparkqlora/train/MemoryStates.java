package org.sparkqlora.train;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.TreeMap;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;

/** Keeps the bytes of every State. */
class MemoryStates implements StateStore {
    final TreeMap<Long, byte[]> saved = new TreeMap<>();

    @Override
    public Optional<Stored> newest() {
        return Optional.ofNullable(saved.lastEntry()).map(entry -> new InMemory(entry.getKey(), entry.getValue()));
    }

    @Override
    public void save(SavedState state) {
        saved.put(state.version(), TrainFixture.bytes(state));
    }

    @Override
    public void clear() {
        saved.clear();
    }

    private record InMemory(long version, byte[] bytes) implements Stored {
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
