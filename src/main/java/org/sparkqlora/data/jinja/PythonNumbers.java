package org.sparkqlora.data.jinja;

import java.math.BigInteger;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.PythonLiteral;

/** Numbers written and computed as Python does. */
final class PythonNumbers {
    private PythonNumbers() {}

    static boolean isInteger(Object value) {
        return value instanceof Long
                || value instanceof Integer
                || value instanceof Short
                || value instanceof BigInteger;
    }

    static String text(Number value) {
        return isInteger(value) ? value.toString() : repr(value.doubleValue());
    }

    private static String repr(double value) {
        if (Double.isNaN(value)) {
            return "nan";
        }

        if (Double.isInfinite(value)) {
            return value > 0 ? "inf" : "-inf";
        }

        return PythonLiteral.number(value);
    }

    static Object arithmetic(String operator, Number left, Number right) {
        return isInteger(left) && isInteger(right)
                ? integers(operator, exact(left), exact(right))
                : doubles(operator, left.doubleValue(), right.doubleValue());
    }

    private static Object integers(String operator, long left, long right) {
        try {
            return switch (operator) {
                case "+" -> Math.addExact(left, right);
                case "-" -> Math.subtractExact(left, right);
                case "*" -> Math.multiplyExact(left, right);
                case "/" -> (double) left / requireNotZero(right);
                case "//" -> Math.floorDiv(left, requireNotZero(right));
                case "%" -> Math.floorMod(left, requireNotZero(right));
                default -> power(left, right);
            };
        } catch (ArithmeticException e) {
            throw new EvaluationException("%d %s %d does not fit 64 bits".formatted(left, operator, right));
        }
    }

    private static Object power(long left, long right) {
        return right < 0
                ? (Object) Math.pow(left, right)
                : BigInteger.valueOf(left)
                        .pow(Math.toIntExact(Math.min(right, Long.SIZE)))
                        .longValueExact();
    }

    private static Object doubles(String operator, double left, double right) {
        return switch (operator) {
            case "+" -> left + right;
            case "-" -> left - right;
            case "*" -> left * right;
            case "/" -> left / requireNotZero(right);
            case "//" -> Math.floor(left / requireNotZero(right));
            case "%" -> left - requireNotZero(right) * Math.floor(left / right);
            default -> Math.pow(left, right);
        };
    }

    private static long requireNotZero(long divisor) {
        if (divisor == 0) {
            throw new EvaluationException("division by zero");
        }

        return divisor;
    }

    private static double requireNotZero(double divisor) {
        if (divisor == 0) {
            throw new EvaluationException("division by zero");
        }

        return divisor;
    }

    private static long exact(Number value) {
        if (value instanceof BigInteger big && big.bitLength() >= Long.SIZE) {
            throw new EvaluationException("a number of %d bits does not fit 64 bits".formatted(big.bitLength() + 1));
        }

        return value.longValue();
    }

    /** The value by which equal numbers are found: 1, 1.0 and true are one. */
    static @Nullable Object key(@Nullable Object value) {
        Number number = Values.number(value);
        if (number == null || number instanceof BigInteger) {
            return value;
        }

        boolean whole = isInteger(number) || number.doubleValue() == number.longValue();
        return whole ? (Object) number.longValue() : (Object) number.doubleValue();
    }

    static int compare(Number left, Number right) {
        if (left instanceof Long first && right instanceof Long second) {
            return Long.compare(first, second);
        }

        return isInteger(left) && isInteger(right)
                ? new BigInteger(left.toString()).compareTo(new BigInteger(right.toString()))
                : Double.compare(left.doubleValue(), right.doubleValue());
    }
}
