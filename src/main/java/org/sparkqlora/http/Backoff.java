package org.sparkqlora.http;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.DoubleSupplier;

/**
 * Tries again what a server did not do for a moment: after a wait that doubles each time, of which a random part is left out so
 * that many clients do not come back together, or after the wait that the server asks for.
 *
 * @param attempts of all
 * @param first wait
 * @param longest wait, whatever the server asks for
 * @param pause how to wait
 * @param chance numbers from 0 to 1
 */
public record Backoff(int attempts, Duration first, Duration longest, Pause pause, DoubleSupplier chance) {
    /** Five attempts within seconds, or within the minutes that a server asks for. */
    public static final Backoff DEFAULT = new Backoff(
            5,
            Duration.ofSeconds(1),
            Duration.ofMinutes(5),
            wait -> Thread.sleep(wait.toMillis()),
            () -> ThreadLocalRandom.current().nextDouble());

    /** Waits. */
    @FunctionalInterface
    public interface Pause {
        void await(Duration wait) throws InterruptedException;
    }

    /** An operation that can fail for a moment. */
    @FunctionalInterface
    public interface Attempt<T> {
        T run() throws IOException;
    }

    /** The result of the first attempt that succeeds; the failure of the last if none does. */
    public <T> T run(Attempt<T> attempt) throws IOException {
        for (int failed = 1; ; failed++) {
            try {
                return attempt.run();
            } catch (InterruptedIOException e) {
                throw e;
            } catch (IOException e) {
                if (failed == attempts) {
                    throw e;
                }

                await(waitAfter(failed, e), e);
            }
        }
    }

    private Duration waitAfter(int failed, IOException failure) {
        double doubled = first.toMillis() * Math.pow(2, failed - 1);
        double own = doubled * (0.5 + chance.getAsDouble() / 2);
        double asked =
                failure instanceof BusyServerException busy ? busy.delay().toMillis() : 0;
        return Duration.ofMillis((long) Math.min(longest.toMillis(), asked + own));
    }

    private void await(Duration wait, IOException failure) throws IOException {
        try {
            pause.await(wait);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            failure.addSuppressed(e);
            throw failure;
        }
    }
}
