package org.sparkqlora.data.jinja;

import java.util.List;

/**
 * The output of a template.
 *
 * @param generated the parts that came from {@code {% generation %}} blocks, in order
 * @param passes the output of the pass for each message, in the order of messages: {@link Span#NONE} for one without a pass; empty
 *     where a message has several
 */
public record Rendering(String text, List<Span> generated, List<Span> passes) {
    /** A text whose passes are not known. */
    public Rendering(String text, List<Span> generated) {
        this(text, generated, List.of());
    }

    public Rendering {
        generated = List.copyOf(generated);
        passes = List.copyOf(passes);
    }

    /** Chars {@code from} to {@code to - 1} of a text. */
    public record Span(int from, int to) {
        public static final Span NONE = new Span(-1, -1);
    }
}
