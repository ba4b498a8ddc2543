package org.sparkqlora.spark.watch;

import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The state of this process's run, folded from its events, for the report at its end. */
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

    /** The current view; empty before the run began. */
    public Optional<RunView> view() {
        RunState started = state;
        return started == null ? Optional.empty() : Optional.of(started.view());
    }
}
