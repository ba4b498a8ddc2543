package org.sparkqlora.data.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.PythonLiteral;

/** Numbers written and computed as Python does. */
final class PythonNumbers {
    private static final Pattern DIGITS_APART = Pattern.compile("(?<=\\d)_(?=\\d)");
    private static final Pattern WHOLE = Pattern.compile("[+-]?\\d+");
    private static final Pattern FLOAT = Pattern.compile("[+-]?(?:\\d++\\.?\\d*+|\\.\\d++)(?:[eE][+-]?\\d++)?");
    private static final Pattern NAMED = Pattern.compile("([+-]?)(?:inf|infinity|(nan))", Pattern.CASE_INSENSITIVE);

    /** Of an integer that Python reads. */
    private static final int MOST_DIGITS = 4300;

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
                ? (Object) Math.pow(requireNotZero(left), right)
                : BigInteger.valueOf(left)
                        .pow(Math.toIntExact(Math.min(right, Long.SIZE + (right & 1)))) // -1 alone has higher ones
                        .longValueExact();
    }

    private static Object doubles(String operator, double left, double right) {
        return switch (operator) {
            case "+" -> left + right;
            case "-" -> left - right;
            case "*" -> left * right;
            case "/" -> left / requireNotZero(right);
            case "//" -> floorQuotient(left, requireNotZero(right));
            case "%" -> remainder(left, requireNotZero(right));
            default -> Math.pow(right < 0 ? requireNotZero(left) : left, right);
        };
    }

    /** Of the divisor's sign, and exact. */
    private static double remainder(double left, double right) {
        double rest = left % right;
        if (rest == 0) {
            return Math.copySign(0, right);
        }

        return rest < 0 == right < 0 ? rest : rest + right;
    }

    /** By the remainder, as CPython finds it: the quotient itself may be rounded up to the next whole number. */
    private static double floorQuotient(double left, double right) {
        double rest = left % right;
        double below = rest != 0 && rest < 0 != right < 0 ? 1 : 0;
        double quotient = (left - rest) / right - below;
        if (quotient == 0) {
            return Math.copySign(0, left / right);
        }

        double floor = Math.floor(quotient);
        return quotient - floor > 0.5 ? floor + 1 : floor;
    }

    /** As Python's {@code round}: a half of what the number really is goes to the even digit. */
    static Number rounded(Number value, int places) {
        double number = value.doubleValue();
        boolean integer = isInteger(value);
        if (integer && places >= 0 || !Double.isFinite(number)) {
            return value;
        }

        BigDecimal exact = integer ? new BigDecimal(value.toString()) : new BigDecimal(number);
        BigDecimal rounded = exact.setScale(places, RoundingMode.HALF_EVEN);
        return integer ? integer(rounded) : (Number) Math.copySign(rounded.doubleValue(), number);
    }

    /** The whole part of a number. */
    static Number integer(BigDecimal value) {
        BigInteger whole = value.toBigInteger();
        return whole.bitLength() < Long.SIZE ? (Number) whole.longValue() : whole;
    }

    /** What Python's {@code int} or else its {@code float} reads; null for another text. */
    static @Nullable Number read(String text) {
        String number = DIGITS_APART.matcher(text.strip()).replaceAll("");
        if (number.length() <= MOST_DIGITS && WHOLE.matcher(number).matches()) {
            return integer(new BigDecimal(number));
        }

        if (FLOAT.matcher(number).matches()) {
            return Double.parseDouble(number);
        }

        Matcher named = NAMED.matcher(number);
        if (!named.matches()) {
            return null;
        }

        double value = named.group(2) == null ? Double.POSITIVE_INFINITY : Double.NaN;
        return named.group(1).equals("-") ? -value : value;
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
