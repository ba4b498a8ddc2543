package org.sparkqlora.data.jinja;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@code namespace(...)}: fields that a loop's body can set for what comes after the loop. */
record Namespace(Map<String, @Nullable Object> fields) {
    Namespace {
        fields = new LinkedHashMap<>(fields);
    }
}
