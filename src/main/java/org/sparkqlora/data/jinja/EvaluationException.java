package org.sparkqlora.data.jinja;

import org.sparkqlora.input.PrintableText;

/** A value that an operation of the template cannot take; becomes a {@link TemplateException} once the line is known. */
final class EvaluationException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    EvaluationException(String problem) {
        super(PrintableText.message(problem));
    }
}
