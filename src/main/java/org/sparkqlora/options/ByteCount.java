package org.sparkqlora.options;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.sparkqlora.input.BadInputException;

/** A number of bytes as people write it: 64M, 2G, 65536. Units are powers of 1024. */
public record ByteCount(long value) {
    private static final Pattern FORM = Pattern.compile("(\\d{1,9})([KMG]?)", Pattern.CASE_INSENSITIVE);

    public static ByteCount parse(String text) {
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            throw new BadInputException(
                    "Cannot read a number of bytes from '%s': expected one such as 64M or 1G".formatted(text));
        }

        long unit = switch (matcher.group(2).toUpperCase(Locale.ROOT)) {
            case "K" -> 1L << 10;
            case "M" -> 1L << 20;
            case "G" -> 1L << 30;
            default -> 1L;
        };
        return new ByteCount(Long.parseLong(matcher.group(1)) * unit);
    }

    /** In the largest unit that leaves a number of at least 1, such as 1.5 MiB. */
    public static String describe(long bytes) {
        double value = bytes;
        String[] units = {"bytes", "KiB", "MiB", "GiB", "TiB"};
        int unit = 0;
        while (value >= 1024 && unit < units.length - 1) {
            value /= 1024;
            unit++;
        }

        return unit == 0 ? bytes + " bytes" : String.format(Locale.ROOT, "%.1f %s", value, units[unit]);
    }
}
