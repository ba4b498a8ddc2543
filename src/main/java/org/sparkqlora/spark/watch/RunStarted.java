package org.sparkqlora.spark.watch;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A run begins, or resumes.
 *
 * @param name for people
 * @param doneSteps that earlier processes took
 * @param steps of the whole run
 * @param earlier sample of the steps of earlier processes
 * @param earlierHeldOut evaluations of earlier processes
 * @param parameters every setting that decides its result
 * @param plannedBytes estimated peak memory of one computing process
 */
public record RunStarted(
        String run,
        long timeMillis,
        String name,
        long doneSteps,
        long steps,
        List<StepTaken> earlier,
        List<HeldOutMeasured> earlierHeldOut,
        Map<String, String> parameters,
        long plannedBytes)
        implements RunEvent {
    public RunStarted {
        earlier = List.copyOf(earlier);
        earlierHeldOut = List.copyOf(earlierHeldOut);
        parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
    }
}
