package org.sparkqlora.train;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.TreeMap;
import org.sparkqlora.quant.Workers;

/** Keeps the bytes of every State. */
class MemoryStates implements StateStore {
    final TreeMap<Long, byte[]> saved = new TreeMap<>();

    @Override
    public Optional<TrainState> newest() {
        return Optional.ofNullable(saved.lastEntry()).map(entry -> read(entry.getValue()));
    }

    @Override
    public void save(SavedState state) {
        saved.put(state.version(), TrainFixture.bytes(state));
    }

    @Override
    public void clear() {
        saved.clear();
    }

    private static TrainState read(byte[] bytes) {
        try {
            return TrainState.read(
                    new DataInputStream(new ByteArrayInputStream(bytes)),
                    TrainFixture.plan(TrainFixture.batches(2, 4, 1)).optimizer(),
                    StateHome.inMemory(new Workers(1)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
