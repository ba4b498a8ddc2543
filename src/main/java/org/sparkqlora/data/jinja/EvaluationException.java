package org.sparkqlora.data.jinja;

/** A value that an operation of the template cannot take; becomes a {@link TemplateException} once the line is known. */
final class EvaluationException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    EvaluationException(String problem) {
        super(problem);
    }
}
