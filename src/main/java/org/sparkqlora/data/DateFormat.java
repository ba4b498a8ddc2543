package org.sparkqlora.data;

import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Python's {@code strftime}, as far as templates use it. */
final class DateFormat {
    private static final int LONGEST = 1000;

    private DateFormat() {}

    static String format(LocalDateTime time, List<@Nullable Object> arguments) {
        if (arguments.isEmpty() || !(arguments.get(0) instanceof String format) || format.length() > LONGEST) {
            throw new BadRecordException(
                    "expected a date format of at most %d chars for strftime_now".formatted(LONGEST));
        }

        StringBuilder text = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            if (format.charAt(i) == '%' && i + 1 < format.length()) {
                i++;
                text.append(field(time, format.charAt(i)));
            } else {
                text.append(format.charAt(i));
            }
        }

        return text.toString();
    }

    private static String field(LocalDateTime time, char directive) {
        String pattern = switch (directive) {
            case 'Y' -> "yyyy";
            case 'y' -> "yy";
            case 'm' -> "MM";
            case 'd' -> "dd";
            case 'B' -> "MMMM";
            case 'b' -> "MMM";
            case 'A' -> "EEEE";
            case 'a' -> "EEE";
            case 'H' -> "HH";
            case 'I' -> "hh";
            case 'M' -> "mm";
            case 'S' -> "ss";
            case 'p' -> "a";
            case 'j' -> "DDD";
            case '%' -> "'%'";
            default ->
                throw new BadRecordException("Unsupported date field %%%s in the chat template".formatted(directive));
        };
        return DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(time);
    }
}
