package org.sparkqlora.spark.watch;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The facts of a run that are known before it begins.
 *
 * @param name for people
 * @param parameters every setting that decides its result
 * @param plannedBytes estimated peak memory of one computing process
 */
public record RunFacts(String name, Map<String, String> parameters, long plannedBytes) {
    public RunFacts {
        parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
    }
}
