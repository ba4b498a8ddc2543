package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;

/** The State that a run ends with, of which the run itself publishes no more than the trained values. */
public final class LastState {
    private final Function<StateOrigin, GradientSource> sources;
    private @Nullable GradientSource source;

    /** Of a run that has its sources by {@link #open}. */
    public LastState(Function<StateOrigin, GradientSource> sources) {
        this.sources = sources;
    }

    public GradientSource open(StateOrigin first) {
        return source = sources.apply(first);
    }

    Position position() {
        return Objects.requireNonNull(source).position();
    }

    /** All of it while {@code published}, which must be its own, are published. */
    public byte[] bytes(FlatVector published) {
        SavedState saved = Objects.requireNonNull(source).saved();
        try {
            byte[] bytes = TrainFixture.bytes(saved);
            assertThat(TrainFixture.values(published)).isEqualTo(TrainFixture.values(parameters(bytes)));
            return bytes;
        } finally {
            saved.release();
        }
    }

    private static FlatVector parameters(byte[] state) {
        try (Workers workers = new Workers(1)) {
            return TrainState.readParameters(
                    new DataInputStream(new ByteArrayInputStream(state)),
                    TrainFixture.plan(TrainFixture.batches(1, 1, 1)).optimizer(),
                    StateHome.inMemory(workers));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
