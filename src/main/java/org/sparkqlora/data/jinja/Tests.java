package org.sparkqlora.data.jinja;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Jinja's tests: {@code value is name(arguments)}. */
final class Tests {
    private Tests() {}

    static boolean test(String name, @Nullable Object value, CallArguments arguments) {
        arguments.budget().look(value);
        return switch (name) {
            case "defined" -> !(value instanceof Undefined);
            case "undefined" -> value instanceof Undefined;
            case "none" -> value == null;
            case "string" -> value instanceof String;
            case "boolean" -> value instanceof Boolean;
            case "true" -> Boolean.TRUE.equals(value);
            case "false" -> Boolean.FALSE.equals(value);
            case "number" -> value instanceof Number || value instanceof Boolean;
            case "integer" -> value instanceof Number && PythonNumbers.isInteger(value);
            case "float" -> value instanceof Double || value instanceof Float;
            case "mapping" -> value instanceof Map;
            case "sequence" -> isSequence(value);
            case "iterable" -> isSequence(value) || value instanceof Undefined;
            case "callable" -> value instanceof TemplateFunction;
            case "lower" -> TextMethods.isLower(PythonText.str(value, arguments.budget()));
            case "upper" -> TextMethods.isUpper(PythonText.str(value, arguments.budget()));
            case "odd" -> remainder(value, 2) == 1;
            case "even" -> remainder(value, 2) == 0;
            case "divisibleby" -> remainder(value, arguments.integer(0, "num", 0)) == 0;
            case "sameas" -> isSame(value, arguments.required(0, "other"));
            default -> compare(name, value, arguments);
        };
    }

    private static boolean compare(String name, @Nullable Object value, CallArguments arguments) {
        String operator = switch (name) {
            case "eq", "equalto", "==" -> "==";
            case "ne" -> "!=";
            case "lt", "lessthan" -> "<";
            case "le" -> "<=";
            case "gt", "greaterthan" -> ">";
            case "ge" -> ">=";
            case "in" -> "in";
            default -> throw new EvaluationException("unsupported test '%s'".formatted(name));
        };
        return Operators.compare(operator, value, arguments.required(0, "other"), arguments.budget());
    }

    /** Python's {@code is}, for which equal texts and numbers of templates are the same. */
    private static boolean isSame(@Nullable Object value, @Nullable Object other) {
        return value == other || (value instanceof String || value instanceof Number) && value.equals(other);
    }

    private static boolean isSequence(@Nullable Object value) {
        return value instanceof String || value instanceof List || value instanceof Map;
    }

    private static long remainder(@Nullable Object value, long divisor) {
        if (Values.number(value) instanceof Long number) {
            return (Long) PythonNumbers.arithmetic("%", number, divisor);
        }

        throw new EvaluationException("expected an integer, found a " + Values.kind(value));
    }
}
