package org.sparkqlora.data.jinja;

/**
 * A piece of template source.
 *
 * @param text for a string literal, its value
 */
record Token(Kind kind, String text, int line) {
    private static final int SHOWN = 40;

    /** The kind of a token. */
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

    /** The token for messages; of a long one the beginning. */
    String describe() {
        String shown = text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "...";
        return switch (kind) {
            case TEXT -> "text";
            case END -> "the end of the template";
            case STRING -> "the string '" + shown + "'";
            case OUTPUT_BEGIN, OUTPUT_END, BLOCK_BEGIN, BLOCK_END, NAME, INTEGER, FLOAT, OPERATOR -> "'" + shown + "'";
        };
    }
}
