package org.sparkqlora.input;

import java.util.Locale;
import java.util.regex.Pattern;

/** Text of others in what people read: without the characters that steer a terminal, which are shown by their numbers. */
public final class PrintableText {
    private static final Pattern CONTROLS = Pattern.compile("[\\p{Cntrl}\\x80-\\x9f&&[^\\t\\n\\r]]|\\r(?!\\n)");

    /** Our own lists go on in lines that are indented. */
    private static final Pattern LINE_ENDS = Pattern.compile("\\n(?!  )|\\r");

    private PrintableText() {}

    /** {@code text} in lines of its own. */
    public static String lines(String text) {
        return shown(CONTROLS, text);
    }

    /** {@code text} without what would look like the begin of another message in a log. */
    public static String message(String text) {
        return shown(LINE_ENDS, lines(text));
    }

    /** The first line of what {@code thrown} says; others go on for pages. */
    public static String firstLine(Exception thrown) {
        return String.valueOf(thrown.getMessage()).strip().lines().findFirst().orElse("");
    }

    private static String shown(Pattern pattern, String text) {
        return pattern.matcher(text)
                .replaceAll(found -> String.format(
                        Locale.ROOT, "\\\\u%04x", (int) found.group().charAt(0)));
    }
}
