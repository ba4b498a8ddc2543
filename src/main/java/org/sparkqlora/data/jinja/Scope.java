package org.sparkqlora.data.jinja;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Names and their values; a loop's body and a macro see those around them and keep their own. */
record Scope(@Nullable Scope outer, Map<String, @Nullable Object> values) {
    static Scope of(Map<String, @Nullable Object> values) {
        return new Scope(null, new HashMap<>(values));
    }

    Scope inner() {
        return new Scope(this, new HashMap<>());
    }

    void set(String name, @Nullable Object value) {
        values.put(name, value);
    }

    @Nullable
    Object get(String name) {
        for (Scope scope = this; scope != null; scope = scope.outer) {
            if (scope.values.containsKey(name)) {
                return scope.values.get(name);
            }
        }

        return new Undefined("'" + name + "'");
    }
}
