package org.sparkqlora.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BackoffTest {
    private static final Instant NOW = Instant.parse("2026-11-27T04:00:00Z");

    private final List<Long> waits = new ArrayList<>();
    private int attempts;

    @Test
    void waitsLongerAfterEachFailureAndGivesTheLastUp() {
        assertThatThrownBy(() -> backoff(0).run(() -> fail(new IOException("no " + ++attempts))))
                .isInstanceOf(IOException.class)
                .hasMessage("no 5");

        assertThat(waits).containsExactly(500L, 1000L, 2000L, 4000L);
    }

    @Test
    void clientsThatFailedTogetherComeBackApart() throws IOException {
        assertThat(backoff(0).run(this::secondSucceeds)).isEqualTo("done");
        attempts = 0;
        assertThat(backoff(0.5).run(this::secondSucceeds)).isEqualTo("done");

        assertThat(waits).containsExactly(500L, 750L);
    }

    @ParameterizedTest(name = "Retry-After: {0}")
    @CsvSource({
        "7, 7500",
        "'Fri, 27 Nov 2026 04:01:00 GMT', 60500",
        "'Fri, 27 Nov 2026 03:59:00 GMT', 500",
        "soon, 500",
        "'', 500",
        "999999999, 300000"
    })
    void waitsAsLongAsAServerAsksForButNotForEver(String retryAfter, long expected) {
        assertThatThrownBy(() -> backoff(0).run(() -> fail(new BusyServerException("busy", retryAfter, NOW))))
                .isInstanceOf(BusyServerException.class)
                .hasMessage("busy");

        assertThat(waits.get(0)).isEqualTo(expected);
    }

    @Test
    void isNotTriedAgainOnceItIsInterrupted() {
        assertThatThrownBy(() -> backoff(0).run(() -> fail(new InterruptedIOException("interrupted"))))
                .isInstanceOf(InterruptedIOException.class)
                .hasMessage("interrupted");

        assertThat(waits).isEmpty();
    }

    private Backoff backoff(double chance) {
        return new Backoff(
                5, Duration.ofSeconds(1), Duration.ofMinutes(5), wait -> waits.add(wait.toMillis()), () -> chance);
    }

    private String secondSucceeds() throws IOException {
        return ++attempts == 2 ? "done" : fail(new IOException("no"));
    }

    private static String fail(IOException failure) throws IOException {
        throw failure;
    }
}
