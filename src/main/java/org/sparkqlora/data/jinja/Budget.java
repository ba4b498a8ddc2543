package org.sparkqlora.data.jinja;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.TemplateLimits;

/** The remaining budget of one rendering within its limits. */
final class Budget {
    /** Chars that are searched or compared in the time of one step. */
    private static final int CHARS_A_STEP = 16;

    /** Between two looks at the clock: about a millisecond. */
    private static final int STEPS_A_LOOK = 1 << 16;

    private final TemplateLimits limits;
    private final long began = System.nanoTime();
    private long chars;
    private long items;
    private long steps;
    private long nextLook;
    private int depth;

    Budget(TemplateLimits limits) {
        this.limits = limits;
    }

    /** Counts chars of a text that is about to be made. */
    void chars(long count) {
        chars += count;
        if (chars > limits.chars()) {
            throw exceeded(limits.chars(), "chars of text in all");
        }

        steps(count / CHARS_A_STEP);
    }

    /** Counts items of a list or a mapping that is about to be made. */
    void items(long count) {
        items += count;
        if (items > limits.items()) {
            throw exceeded(limits.items(), "items of lists in all");
        }

        steps(count);
    }

    /** Counts work that makes nothing. */
    void steps(long count) {
        steps += count;
        if (steps > limits.steps()) {
            throw exceeded(limits.steps(), "steps of work");
        }

        if (steps >= nextLook) {
            nextLook = steps + STEPS_A_LOOK;
            requireTime();
        }
    }

    private static EvaluationException exceeded(long limit, String what) {
        return new EvaluationException(
                "expected at most %d %s, found more. Cut the record into shorter ones, allow more with --template-budget, or give another template with --chat-template"
                        .formatted(limit, what));
    }

    private void requireTime() {
        if (System.nanoTime() - began > limits.time().toNanos()) {
            throw new EvaluationException("expected at most %d seconds of work. --template-budget allows more"
                    .formatted(limits.time().toSeconds()));
        }
    }

    /** Counts that a value is gone through. */
    void look(@Nullable Object value) {
        if (value instanceof String text) {
            steps(1 + text.length() / CHARS_A_STEP);
        } else if (value instanceof List<?> list) {
            steps(1 + list.size());
        } else {
            steps(value instanceof Map<?, ?> map ? 1 + map.size() : 1);
        }
    }

    /** A text that an operation made, whose length is that of what it was made of. */
    String made(String text) {
        chars(text.length());
        return text;
    }

    /** One more expression, block, call or level of a value, until {@link #leave}. */
    void enter() {
        depth++;
        if (depth > limits.depth()) {
            throw new EvaluationException("expected at most %d levels of nesting".formatted(limits.depth()));
        }

        steps(1);
    }

    void leave() {
        depth--;
    }

    /** Refuses to write a value that is nested {@code level} deep. */
    void requireWritable(int level) {
        if (level > limits.valueDepth()) {
            throw new EvaluationException(
                    "cannot write a value that is nested more than %d deep".formatted(limits.valueDepth()));
        }
    }
}
