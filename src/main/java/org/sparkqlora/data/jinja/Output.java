package org.sparkqlora.data.jinja;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.sparkqlora.data.jinja.Rendering.Span;

/** The output of a rendering so far: the text itself and, above it, blocks that are kept in variables. */
final class Output {
    private final Budget budget;
    private final StringBuilder text = new StringBuilder();
    private final Deque<StringBuilder> captures = new ArrayDeque<>();
    private final List<Span> generated = new ArrayList<>();

    Output(Budget budget) {
        this.budget = budget;
    }

    void write(String part) {
        budget.chars(part.length());
        current().append(part);
    }

    /** Keeps what {@code body} writes away from the output. */
    String capture(Runnable body) {
        StringBuilder captured = new StringBuilder();
        captures.push(captured);
        try {
            body.run();
        } finally {
            captures.pop();
        }

        return captured.toString();
    }

    /** Marks what {@code body} writes as generated, unless it goes into a variable, where its place is unknown. */
    void markGenerated(Runnable body) {
        int from = text.length();
        body.run();
        if (captures.isEmpty() && text.length() > from) {
            generated.add(new Span(from, text.length()));
        }
    }

    /** The position of the next char; -1 while output goes into a variable. */
    int place() {
        return captures.isEmpty() ? text.length() : -1;
    }

    Rendering finish(List<Span> passes) {
        return new Rendering(text.toString(), generated, passes);
    }

    private StringBuilder current() {
        StringBuilder captured = captures.peek();
        return captured == null ? text : captured;
    }
}
