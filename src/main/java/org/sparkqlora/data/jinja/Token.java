package org.sparkqlora.data.jinja;

/**
 * A piece of template source.
 *
 * @param text for a string literal, its value
 */
record Token(Kind kind, String text, int line) {
    /** What a piece is. */
    enum Kind {
        /** Template text outside of tags. */
        TEXT,
        /** {@code {{}. */
        OUTPUT_BEGIN,
        /** {@code }}}. */
        OUTPUT_END,
        /** {@code {%}. */
        BLOCK_BEGIN,
        /** {@code %}}. */
        BLOCK_END,
        NAME,
        STRING,
        INTEGER,
        FLOAT,
        OPERATOR,
        END
    }

    boolean isName(String name) {
        return kind == Kind.NAME && text.equals(name);
    }

    boolean isOperator(String operator) {
        return kind == Kind.OPERATOR && text.equals(operator);
    }

    String describe() {
        return switch (kind) {
            case TEXT -> "text";
            case END -> "the end of the template";
            case STRING -> "the string '" + text + "'";
            case OUTPUT_BEGIN, OUTPUT_END, BLOCK_BEGIN, BLOCK_END, NAME, INTEGER, FLOAT, OPERATOR -> "'" + text + "'";
        };
    }
}
