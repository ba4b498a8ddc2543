package org.sparkqlora.spark.watch;

import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What the events of the run of this process come to, for what is written of it at its end. */
public final class RunRecord implements Consumer<RunEvent> {
    private volatile @Nullable RunState state;

    @Override
    public void accept(RunEvent event) {
        if (event instanceof RunStarted start) {
            state = new RunState(start);
            return;
        }

        RunState started = state;
        if (started != null) {
            started.accept(event);
        }
    }

    /** As it stands; nothing before the run began. */
    public Optional<RunView> view() {
        RunState started = state;
        return started == null ? Optional.empty() : Optional.of(started.view());
    }
}
