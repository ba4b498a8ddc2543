package org.sparkqlora.data.jinja;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The variable {@code loop} of one pass. */
record LoopState(List<@Nullable Object> items, int index) {
    @Nullable
    Object field(String name) {
        return switch (name) {
            case "index" -> index + 1L;
            case "index0" -> (long) index;
            case "revindex" -> (long) items.size() - index;
            case "revindex0" -> items.size() - index - 1L;
            case "first" -> index == 0;
            case "last" -> index == items.size() - 1;
            case "length" -> (long) items.size();
            case "depth" -> 1L;
            case "depth0" -> 0L;
            case "previtem" -> index > 0 ? items.get(index - 1) : new Undefined("loop.previtem");
            case "nextitem" -> index + 1 < items.size() ? items.get(index + 1) : new Undefined("loop.nextitem");
            case "cycle" -> (TemplateFunction) (positional, named) -> cycled(positional);
            default -> new Undefined("loop." + name);
        };
    }

    private @Nullable Object cycled(List<@Nullable Object> values) {
        if (values.isEmpty()) {
            throw new EvaluationException("cannot go round in no values: loop.cycle expects at least 1");
        }

        return values.get(index % values.size());
    }
}
