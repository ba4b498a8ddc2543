package org.sparkqlora.spark.ui;

import java.util.Locale;

/** Numbers as people read them. */
final class Amount {
    private static final double GIGA = 1e9;
    private static final double MEGA = 1e6;
    private static final long MINUTE = 60;
    private static final long HOUR = 3600;

    private Amount() {}

    /** With about four digits that count. */
    static String number(double value) {
        double size = Math.abs(value);
        if (size == 0) {
            return "0";
        }

        if (size < 1e-3 || size >= 1e6) {
            return String.format(Locale.ROOT, "%.2e", value)
                    .replaceFirst("\\.?0*e", "e")
                    .replaceFirst("e([+-])0", "e$1")
                    .replace("e+", "e");
        }

        int decimals = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 4;
        return String.format(Locale.ROOT, "%,." + decimals + "f", value);
    }

    static String whole(long value) {
        return String.format(Locale.ROOT, "%,d", value);
    }

    static String percent(double share) {
        return String.format(Locale.ROOT, share < 0.1 ? "%.1f %%" : "%.0f %%", 100 * share);
    }

    static String bytes(long bytes) {
        return bytes >= 10 * GIGA
                ? String.format(Locale.ROOT, "%.1f GB", bytes / GIGA)
                : String.format(Locale.ROOT, "%,.0f MB", bytes / MEGA);
    }

    static String duration(double seconds) {
        if (seconds < 10) {
            return String.format(Locale.ROOT, "%.1f s", seconds);
        }

        long whole = Math.round(seconds);
        if (whole < MINUTE) {
            return whole + " s";
        }

        return whole < HOUR
                ? String.format(Locale.ROOT, "%d min %02d s", whole / MINUTE, whole % MINUTE)
                : String.format(Locale.ROOT, "%d h %02d min", whole / HOUR, whole % HOUR / MINUTE);
    }
}
