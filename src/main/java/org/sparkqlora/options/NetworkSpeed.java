package org.sparkqlora.options;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.sparkqlora.input.BadInputException;

/** Bits a second as people write them: 10Gb, 2.5Gb, 100Mb. Units are powers of 1000. */
public record NetworkSpeed(double bitsPerSecond) {
    private static final Pattern FORM = Pattern.compile("(\\d{1,6}(?:\\.\\d{1,6})?)([MG])b");
    private static final double GIGA = 1e9;
    private static final double MEGA = 1e6;

    public static NetworkSpeed parse(String text) {
        Matcher matcher = FORM.matcher(text);
        double speed = matcher.matches() ? Double.parseDouble(matcher.group(1)) : 0;
        if (speed == 0) {
            throw new BadInputException(
                    "Cannot read the speed of a network from '%s': expected bits a second such as 10Gb or 100Mb"
                            .formatted(text));
        }

        return new NetworkSpeed(speed * (matcher.group(2).equals("G") ? GIGA : MEGA));
    }

    public static NetworkSpeed ofBytes(double bytesPerSecond) {
        return new NetworkSpeed(bytesPerSecond * Byte.SIZE);
    }

    public double bytesPerSecond() {
        return bitsPerSecond / Byte.SIZE;
    }

    @Override
    public String toString() {
        return bitsPerSecond < GIGA
                ? String.format(Locale.ROOT, "%.0f Mb/s", bitsPerSecond / MEGA)
                : String.format(Locale.ROOT, "%.1f Gb/s", bitsPerSecond / GIGA);
    }
}
