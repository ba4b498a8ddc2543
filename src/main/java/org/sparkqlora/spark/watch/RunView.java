package org.sparkqlora.spark.watch;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.util.kvstore.KVIndex;
import org.jspecify.annotations.Nullable;

/**
 * All that a page shows of a run, at one moment and of bounded size. Kept in Spark's store of an application's status, which may
 * lie on disk.
 *
 * @param run identifies it
 * @param name for people
 * @param startMillis when this process began it or went on with it, in milliseconds since 1970
 * @param lastMillis of the newest event
 * @param doneSteps that earlier processes took
 * @param step the last one that is done
 * @param steps of the whole run
 * @param outcome running, finished or failed
 * @param failure message of the exception that ended it
 * @param secondsPerStep of late
 * @param checkpoint the step of the newest one; 0 is none
 * @param curves over steps
 * @param phases seconds of all steps of this process
 * @param memory of the processes that compute
 * @param plannedBytes estimated memory of one of them
 * @param faults the newest
 * @param faultCount of all
 * @param parameters every setting that decides its result
 */
public record RunView(
        String run,
        String name,
        long startMillis,
        long lastMillis,
        long doneSteps,
        long step,
        long steps,
        Outcome outcome,
        @Nullable String failure,
        double secondsPerStep,
        long checkpoint,
        RunCurves curves,
        PhaseTimes phases,
        List<MemorySeen> memory,
        long plannedBytes,
        List<FaultSeen> faults,
        long faultCount,
        Map<String, String> parameters) {
    /** Whether a run is running, finished or failed. */
    public enum Outcome {
        RUNNING,
        DONE,
        FAILED
    }

    public RunView {
        memory = List.copyOf(memory);
        faults = List.copyOf(faults);
        parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
    }

    /** The key of the store. */
    @KVIndex
    String key() {
        return run;
    }

    /** Share of the steps that are done, from 0 to 1. */
    public double progress() {
        return steps == 0 ? 0 : (double) step / steps;
    }

    /** Until the last step, as it went of late. */
    public double secondsLeft() {
        return (steps - step) * secondsPerStep;
    }
}
