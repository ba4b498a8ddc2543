package org.sparkqlora.spark.watch;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A run begins, or goes on.
 *
 * @param name as people call it
 * @param doneSteps that earlier processes took
 * @param steps of the whole run
 * @param earlier some of the steps that were taken before
 * @param earlierHeldOut what was measured before
 * @param parameters all that decides its result
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
