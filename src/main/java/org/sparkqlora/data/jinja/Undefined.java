package org.sparkqlora.data.jinja;

/**
 * What a name or field without a value gives: writes nothing, is false, is empty, and fails when more is asked of it.
 *
 * @param what the missing thing, for messages
 */
record Undefined(String what) {
    EvaluationException failure() {
        return new EvaluationException("%s is undefined".formatted(what));
    }
}
