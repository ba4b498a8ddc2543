package org.sparkqlora.model.deltanet;

/** The rows {@code start .. start + length - 1} of a pass, which are tokens of one document. */
public record Span(int start, int length) {}
