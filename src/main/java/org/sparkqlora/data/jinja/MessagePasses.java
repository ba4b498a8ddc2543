package org.sparkqlora.data.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.jinja.Rendering.Span;

/** The spans of the output that loops over the messages wrote. */
final class MessagePasses {
    private static final String MESSAGES = "messages";

    private final Map<Object, Integer> places = new IdentityHashMap<>();
    private final List<Span> spans = new ArrayList<>();
    private boolean once = true;

    MessagePasses(Map<String, ? extends @Nullable Object> variables) {
        if (variables.get(MESSAGES) instanceof List<?> messages) {
            messages.forEach(message -> places.put(message, places.size()));
            spans.addAll(Collections.nCopies(places.size(), Span.NONE));
        }
    }

    /** A pass for {@code item} that wrote chars {@code from} to {@code to}, both -1 where it wrote into a variable. */
    void add(@Nullable Object item, int from, int to) {
        Integer place = places.get(item);
        if (place == null) {
            return;
        }

        once = once && from >= 0 && spans.get(place).equals(Span.NONE);
        spans.set(place, new Span(from, to));
    }

    List<Span> spans() {
        return once ? spans : List.of();
    }
}
