package org.sparkqlora.run.output;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.checkpoint.CheckpointDraft;
import org.sparkqlora.options.Console;
import org.sparkqlora.train.CheckpointStateStore;
import org.sparkqlora.train.SavedState;
import org.sparkqlora.train.StateStore;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.train.metrics.StepMetrics;

/** The checkpoints of a run. Claiming them makes the output folder the run's own. */
public final class RunStates implements StateStore {
    private final CheckpointStateStore checkpoints;
    private final TrainPlan plan;
    private final OutputFolder output;
    private final Console console;
    private @Nullable EarlierRun replaced;

    /** @param replaced the run of another plan that lies there; null if there is none */
    public RunStates(
            CheckpointStateStore checkpoints,
            TrainPlan plan,
            OutputFolder output,
            @Nullable EarlierRun replaced,
            Console console) {
        this.checkpoints = checkpoints;
        this.plan = plan;
        this.output = output;
        this.replaced = replaced;
        this.console = console;
    }

    @Override
    public Optional<Stored> newest() {
        return checkpoints.newest();
    }

    @Override
    public Optional<Stored> newestByLength() {
        return checkpoints.newestByLength();
    }

    @Override
    public void save(SavedState state, Optional<StepMetrics> unevaluated) {
        checkpoints.save(state, unevaluated);
    }

    @Override
    public Optional<CheckpointDraft> draft(long version) {
        return checkpoints.draft(version);
    }

    /** All input was checked before: from here on the folder is worth keeping. */
    @Override
    public void claim() {
        output.keep();
        checkpoints.claim();
        if (replaced != null) {
            console.note("--overwrite: removing %s", String.join(", ", replaced.parts()));
            replaced.remove();
            replaced = null;
        }

        new PlanFile(output.location()).write(plan);
    }

    @Override
    public void requireOwned() {
        checkpoints.requireOwned();
    }
}
