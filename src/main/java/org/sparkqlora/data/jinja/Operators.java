package org.sparkqlora.data.jinja;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Python's binary operators. */
final class Operators {
    /** Chars that one text may reach by repetition. */
    private static final long MAX_REPEATED = 1 << 20;

    private Operators() {}

    static boolean compare(String operator, @Nullable Object left, @Nullable Object right) {
        return switch (operator) {
            case "==" -> Values.equal(left, right);
            case "!=" -> !Values.equal(left, right);
            case "in" -> Values.contains(right, left);
            case "not in" -> !Values.contains(right, left);
            case "<" -> Values.compare(left, right) < 0;
            case "<=" -> Values.compare(left, right) <= 0;
            case ">" -> Values.compare(left, right) > 0;
            case ">=" -> Values.compare(left, right) >= 0;
            default -> throw new IllegalStateException("Unsupported comparison " + operator);
        };
    }

    static Object arithmetic(String operator, @Nullable Object left, @Nullable Object right) {
        Number leftNumber = Values.number(left);
        Number rightNumber = Values.number(right);
        if (leftNumber != null && rightNumber != null) {
            return PythonNumbers.arithmetic(operator, leftNumber, rightNumber);
        }

        if (operator.equals("+") && left instanceof String first && right instanceof String second) {
            return first + second;
        }

        if (operator.equals("+") && left instanceof List<?> first && right instanceof List<?> second) {
            List<@Nullable Object> both = new ArrayList<>(first);
            both.addAll(second);
            return both;
        }

        if (operator.equals("*") && left instanceof String text && rightNumber instanceof Long count) {
            return repeat(text, count);
        }

        throw new EvaluationException(
                "unsupported operands of %s: a %s and a %s".formatted(operator, Values.kind(left), Values.kind(right)));
    }

    private static String repeat(String text, long count) {
        if (text.length() * Math.max(0, count) > MAX_REPEATED) {
            throw new EvaluationException("a text of %d chars is too long".formatted(text.length() * count));
        }

        return text.repeat((int) Math.max(0, count));
    }
}
