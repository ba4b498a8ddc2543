package org.sparkqlora.data.jinja;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's escapes in string literals; one that Python doesn't know stays as it is. */
final class StringEscapes {
    private static final Pattern ESCAPE = Pattern.compile(
            "\\\\(?:(?<plain>[\\\\'\"abfnrtv\\n])|x(?<hex2>\\p{XDigit}{2})|u(?<hex4>\\p{XDigit}{4})|U(?<hex8>\\p{XDigit}{8})|(?<octal>[0-7]{1,3}))");

    private StringEscapes() {}

    static String decode(String literal) {
        return literal.indexOf('\\') < 0
                ? literal
                : ESCAPE.matcher(literal).replaceAll(match -> Matcher.quoteReplacement(value((Matcher) match)));
    }

    private static String value(Matcher escape) {
        if (escape.group("plain") != null) {
            return plain(escape.group("plain"));
        }

        for (String hex : new String[] {"hex2", "hex4", "hex8"}) {
            if (escape.group(hex) != null) {
                return character(Long.parseLong(escape.group(hex), 16));
            }
        }

        return Character.toString(Integer.parseInt(escape.group("octal"), 8));
    }

    private static String character(long codePoint) {
        if (codePoint > Character.MAX_CODE_POINT) {
            throw new EvaluationException(
                    "expected an escape up to \\U%08x, found \\U%08x".formatted(Character.MAX_CODE_POINT, codePoint));
        }

        return Character.toString((int) codePoint);
    }

    private static String plain(String letter) {
        return switch (letter) {
            case "a" -> "\u0007";
            case "b" -> "\b";
            case "f" -> "\f";
            case "n" -> "\n";
            case "r" -> "\r";
            case "t" -> "\t";
            case "v" -> "\u000b";
            case "\n" -> "";
            default -> letter;
        };
    }
}
