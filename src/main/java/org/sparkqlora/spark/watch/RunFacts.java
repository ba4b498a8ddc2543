package org.sparkqlora.spark.watch;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What is known of a run before it begins.
 *
 * @param name as people call it
 * @param parameters all that decides its result
 * @param plannedBytes what one process that computes is reckoned to take at its peak
 */
public record RunFacts(String name, Map<String, String> parameters, long plannedBytes) {
    public RunFacts {
        parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
    }
}
