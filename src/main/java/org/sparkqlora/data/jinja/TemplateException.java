package org.sparkqlora.data.jinja;

import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;

/** A template that cannot be parsed or rendered; the message names its line. */
public final class TemplateException extends BadInputException {
    private static final long serialVersionUID = 1L;

    private TemplateException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    static TemplateException parsing(int line, String problem) {
        return new TemplateException("Cannot parse the template, line %d: %s".formatted(line, problem), null);
    }

    static TemplateException rendering(int line, String problem, Throwable cause) {
        return new TemplateException("Cannot render the template, line %d: %s".formatted(line, problem), cause);
    }
}
