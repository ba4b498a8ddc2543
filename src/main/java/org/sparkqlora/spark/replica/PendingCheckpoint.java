package org.sparkqlora.spark.replica;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.apache.spark.api.java.JavaSparkContext;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.spark.blocks.ExecutorPlace;
import org.sparkqlora.spark.replica.StateFiles.StateFile;
import org.sparkqlora.train.SavedState.StateParts;

/** The checkpoint, one at a time, that executors write beside steps, whose tasks tell what is written. Driver only. */
final class PendingCheckpoint {
    private @Nullable Requested pending;

    /**
     * A State whose files tasks write.
     *
     * @param saved waits for them
     */
    record Requested(StateRequest request, ExecutorsState saved) {}

    void begin(Requested requested) {
        pending = requested;
    }

    Optional<StateRequest> request() {
        return Optional.ofNullable(pending).map(Requested::request);
    }

    /** Takes what tasks have told of the files, if that is all or can never be all. */
    void settleIfKnown() {
        if (pending != null) {
            List<StateFile> told = pending.request().files().value();
            if (isKnown(pending.request(), told)) {
                settle(told);
            }
        }
    }

    /** Takes what becomes of the files, for which this waits. */
    void settle(JavaSparkContext context, RunHandle run) {
        if (pending != null) {
            StateRequest request = pending.request();
            List<StateFile> told = request.files().value();
            settle(isKnown(request, told) ? told : request.finishedFiles(context, run));
        }
    }

    private static boolean isKnown(StateRequest request, List<StateFile> told) {
        return request.parts(told).isPresent() || request.isLost(told, ExecutorPlace.all());
    }

    private void settle(List<StateFile> told) {
        Requested last = Objects.requireNonNull(pending);
        pending = null;
        Optional<StateParts> parts = last.request().parts(told);
        if (parts.isEmpty()) {
            StateFiles.warnOfUnwritten(last.request().version(), told);
        }

        parts.ifPresentOrElse(last.saved()::written, last.saved()::unwritten);
    }
}
