package org.sparkqlora.spark.mlflow;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The facts of a run that are known before it begins.
 *
 * @param name for people
 * @param earlierRun id of the run that this one resumes, if any
 * @param parameters every setting that decides its result
 * @param tags to search runs by
 * @param inputs that it reads
 * @param remember takes the id that the server gave it
 */
public record MlflowFacts(
        String name,
        @Nullable String earlierRun,
        Map<String, String> parameters,
        Map<String, String> tags,
        List<MlflowInput> inputs,
        Consumer<String> remember) {
    public MlflowFacts {
        parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
        tags = Map.copyOf(tags);
        inputs = List.copyOf(inputs);
    }
}
