package org.sparkqlora.data.jinja;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Python's binary operators. */
final class Operators {
    private Operators() {}

    static boolean compare(String operator, @Nullable Object left, @Nullable Object right, Budget budget) {
        return switch (operator) {
            case "==" -> Values.equal(left, right, budget);
            case "!=" -> !Values.equal(left, right, budget);
            case "in" -> Values.contains(right, left, budget);
            case "not in" -> !Values.contains(right, left, budget);
            case "<" -> Values.compare(left, right, budget) < 0;
            case "<=" -> Values.compare(left, right, budget) <= 0;
            case ">" -> Values.compare(left, right, budget) > 0;
            case ">=" -> Values.compare(left, right, budget) >= 0;
            default -> throw new IllegalStateException("Unsupported comparison " + operator);
        };
    }

    static Object arithmetic(String operator, @Nullable Object left, @Nullable Object right, Budget budget) {
        Number leftNumber = Values.number(left);
        Number rightNumber = Values.number(right);
        if (leftNumber != null && rightNumber != null) {
            return PythonNumbers.arithmetic(operator, leftNumber, rightNumber);
        }

        if (operator.equals("+") && left instanceof String first && right instanceof String second) {
            budget.chars((long) first.length() + second.length());
            return first + second;
        }

        if (operator.equals("+") && left instanceof List<?> first && right instanceof List<?> second) {
            budget.items((long) first.size() + second.size());
            List<@Nullable Object> both = new ArrayList<>(first);
            both.addAll(second);
            return both;
        }

        if (operator.equals("*") && left instanceof String text && rightNumber instanceof Long count) {
            return repeat(text, count, budget);
        }

        throw new EvaluationException(
                "unsupported operands of %s: a %s and a %s".formatted(operator, Values.kind(left), Values.kind(right)));
    }

    /** The text so many times; an empty text for less than once. */
    static String repeat(String text, long count, Budget budget) {
        long times = Math.max(0, Math.min(count, Integer.MAX_VALUE)); // of more, any text but an empty one is too long
        budget.chars(text.length() * times);
        return text.isEmpty() ? "" : text.repeat((int) times);
    }
}
