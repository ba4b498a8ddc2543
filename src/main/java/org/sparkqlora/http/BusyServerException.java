package org.sparkqlora.http;

import java.io.IOException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.regex.Pattern;

/** A server that asks to be left alone for a while. */
public final class BusyServerException extends IOException {
    private static final long serialVersionUID = 1L;
    private static final Pattern SECONDS = Pattern.compile("\\d{1,9}");

    private static final int TROUBLE = 500;
    private static final List<Integer> LATER = List.of(408, 425, 429);

    private final Duration delay;

    /**
     * An answer of a server that is busy.
     *
     * @param retryAfter the header of this name: seconds or a date; anything else asks for no delay
     */
    public BusyServerException(String message, String retryAfter, Instant now) {
        super(message);
        this.delay = delay(retryAfter, now);
    }

    /** Whether a server that answers with {@code status} may do later what it was asked for. */
    public static boolean isBusy(int status) {
        return status >= TROUBLE || LATER.contains(status);
    }

    /** The delay that the server asks for before the next request. */
    public Duration delay() {
        return delay;
    }

    private static Duration delay(String retryAfter, Instant now) {
        if (SECONDS.matcher(retryAfter).matches()) {
            return Duration.ofSeconds(Long.parseLong(retryAfter));
        }

        try {
            Instant until = ZonedDateTime.parse(retryAfter, DateTimeFormatter.RFC_1123_DATE_TIME)
                    .toInstant();
            return until.isAfter(now) ? Duration.between(now, until) : Duration.ZERO;
        } catch (DateTimeException e) {
            return Duration.ZERO; // a server may say nothing, or what nobody understands
        }
    }
}
