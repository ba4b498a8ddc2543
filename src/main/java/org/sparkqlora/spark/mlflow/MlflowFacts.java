package org.sparkqlora.spark.mlflow;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The facts of a run that are known before it begins.
 *
 * @param name as people call it
 * @param earlierRun that this one goes on with, if any
 * @param parameters all that decides its result
 * @param tags what else to find it by
 * @param remember takes the number that the server gave it
 */
public record MlflowFacts(
        String name,
        @Nullable String earlierRun,
        Map<String, String> parameters,
        Map<String, String> tags,
        Consumer<String> remember) {
    public MlflowFacts {
        parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
        tags = Map.copyOf(tags);
    }
}
