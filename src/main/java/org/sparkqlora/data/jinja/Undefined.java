package org.sparkqlora.data.jinja;

/**
 * The value of an undefined name or field: writes nothing, is false, is empty, and fails when more is asked of it.
 *
 * @param what the missing thing, for messages
 */
record Undefined(String what) {
    EvaluationException failure() {
        return new EvaluationException("%s is undefined".formatted(what));
    }
}
