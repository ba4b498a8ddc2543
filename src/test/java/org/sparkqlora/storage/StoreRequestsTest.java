package org.sparkqlora.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StoreRequestsTest {
    @ParameterizedTest(name = "{0} requests")
    @ValueSource(ints = {0, 1, StoreRequests.AT_ONCE, 1000})
    void answersComeInTheOrderOfTheThings(int count) throws IOException {
        List<Integer> things = IntStream.range(0, count).boxed().toList();

        assertThat(StoreRequests.all(things, thing -> thing)).isEqualTo(things);
    }

    @Test
    void manyRequestsAreUnderWayAtOnceAndNoMoreThanThat() throws IOException {
        CountDownLatch together = new CountDownLatch(StoreRequests.AT_ONCE);
        AtomicInteger now = new AtomicInteger();

        List<Integer> most = StoreRequests.all(IntStream.range(0, 200).boxed().toList(), thing -> {
            int atOnce = now.incrementAndGet();
            together.countDown();
            assertThat(await(together)).isTrue();
            now.decrementAndGet();
            return atOnce;
        });

        assertThat(most).allMatch(atOnce -> atOnce <= StoreRequests.AT_ONCE);
    }

    @Test
    void longRequestsAreUnderWayAtOnceHoweverFewTheyAre() throws IOException {
        CountDownLatch together = new CountDownLatch(3);

        List<Boolean> met = StoreRequests.allLong(List.of(1, 2, 3), thing -> {
            together.countDown();
            return await(together);
        });

        assertThat(met).containsExactly(true, true, true);
        assertThat(StoreRequests.allLong(List.of(7), thing -> thing)).containsExactly(7);
        assertThat(StoreRequests.allLong(List.of(), thing -> thing)).isEmpty();
    }

    @ParameterizedTest(name = "{0} requests")
    @ValueSource(ints = {10, 100})
    void theFailureIsThatOfTheFirstThing(int count) {
        List<Integer> things = IntStream.range(0, count).boxed().toList();

        assertThatThrownBy(() -> StoreRequests.all(things, StoreRequestsTest::refuseFromFive))
                .isInstanceOf(IOException.class)
                .hasMessage("refused 5");
    }

    @Test
    void aThreadThatIsInterruptedWaitsNoLonger() {
        CountDownLatch never = new CountDownLatch(1);
        Thread.currentThread().interrupt();

        assertThatThrownBy(
                        () -> StoreRequests.all(IntStream.range(0, 100).boxed().toList(), thing -> await(never)))
                .isInstanceOf(InterruptedIOException.class)
                .hasMessage("interrupted while a store answered");
        assertThat(Thread.interrupted()).isTrue();
    }

    private static int refuseFromFive(int thing) throws IOException {
        if (thing >= 5) {
            throw new IOException("refused " + thing);
        }

        return thing;
    }

    private static boolean await(CountDownLatch latch) {
        try {
            return latch.await(30, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            return false;
        }
    }
}
