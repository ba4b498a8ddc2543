package org.sparkqlora.input;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;

/** Numbers and characters of texts as Python's {@code json.dumps} writes them. */
public final class PythonLiteral {
    private static final int MOST_DIGITS = 17;

    private PythonLiteral() {}

    /**
     * A finite number, as {@code repr} writes it too: the shortest digits that read back as the same double, plain between 1e-4 and 1e16.
     * {@link Double#toString} of Java 17 is neither shortest nor of that form.
     */
    public static String number(double value) {
        if (!Double.isFinite(value)) {
            throw new BadInputException("Cannot write %s as JSON: expected a finite number".formatted(value));
        }

        if (value == 0) {
            return 1 / value < 0 ? "-0.0" : "0.0";
        }

        BigDecimal shortest = shortest(value).stripTrailingZeros();
        int exponent = shortest.precision() - shortest.scale() - 1;
        return exponent < -4 || exponent >= 16 ? scientific(shortest, exponent) : plain(shortest);
    }

    /** A character within quotes. */
    public static String character(char c) {
        return switch (c) {
            case '"' -> "\\\"";
            case '\\' -> "\\\\";
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            case '\b' -> "\\b";
            case '\f' -> "\\f";
            default -> c < ' ' ? code(c) : String.valueOf(c);
        };
    }

    /** As {@link #character}, in ASCII alone. */
    public static String asciiCharacter(char c) {
        return c > '~' ? code(c) : character(c);
    }

    private static String code(char c) {
        return String.format(Locale.ROOT, "\\u%04x", (int) c);
    }

    private static BigDecimal shortest(double value) {
        BigDecimal exact = new BigDecimal(value);
        for (int digits = 1; digits < MOST_DIGITS; digits++) {
            BigDecimal rounded = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
            if (rounded.doubleValue() == value) {
                return rounded;
            }
        }

        return exact.round(new MathContext(MOST_DIGITS, RoundingMode.HALF_EVEN));
    }

    private static String plain(BigDecimal value) {
        String text = value.toPlainString();
        return text.contains(".") ? text : text + ".0";
    }

    private static String scientific(BigDecimal value, int exponent) {
        String digits = value.unscaledValue().abs().toString();
        String mantissa = digits.length() == 1 ? digits : digits.charAt(0) + "." + digits.substring(1);
        return String.format(
                Locale.ROOT,
                "%s%se%s%02d",
                value.signum() < 0 ? "-" : "",
                mantissa,
                exponent < 0 ? "-" : "+",
                Math.abs(exponent));
    }
}
