package org.sparkqlora.data.jinja;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A value that a template can call. */
@FunctionalInterface
public interface TemplateFunction {
    @Nullable
    Object call(List<@Nullable Object> positional, Map<String, @Nullable Object> named);
}
