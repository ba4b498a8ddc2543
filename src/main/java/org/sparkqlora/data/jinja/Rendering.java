package org.sparkqlora.data.jinja;

import java.util.List;

/**
 * What a template wrote.
 *
 * @param generated the parts that came from {@code {% generation %}} blocks, in order
 */
public record Rendering(String text, List<Span> generated) {
    public Rendering {
        generated = List.copyOf(generated);
    }

    /** Chars {@code from} to {@code to - 1} of a text. */
    public record Span(int from, int to) {}
}
