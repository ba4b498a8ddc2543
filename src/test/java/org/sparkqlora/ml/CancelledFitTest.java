package org.sparkqlora.ml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerJobStart;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("spark-line")
class CancelledFitTest {
    private static final String GROUP = "cell 7";
    private static final String WEIGHTS = "adapter_model.safetensors";
    private static final Duration PAUSE = Duration.ofMillis(20);

    @TempDir
    private static Path folder;

    private static SparkSession session;
    private static PirateFits fits;

    @BeforeAll
    static void start() {
        session = PirateFits.session();
        fits = PirateFits.in(folder);
    }

    @AfterAll
    static void stop() {
        session.stop();
    }

    @Test
    void cancellingTheJobGroupEndsAFitThatCanGoOn() throws Exception {
        Started third = new Started("train: step 3 ");
        session.sparkContext().addSparkListener(third);
        CompletableFuture<QLoraModel> fit = CompletableFuture.supplyAsync(() -> {
            session.sparkContext().setJobGroup(GROUP, "a fit", true);
            return fit("cancelled");
        });
        await().atMost(Duration.ofMinutes(5)).pollInterval(PAUSE).until(() -> {
            if (third.seen.get()) {
                session.sparkContext()
                        .cancelJobGroup(GROUP); // of jobs that run now: there may be none between two steps
            }

            return fit.isDone();
        });

        assertThatThrownBy(fit::join)
                .isInstanceOf(CompletionException.class)
                .hasCauseInstanceOf(CancellationException.class)
                .hasMessageContaining("part of cancelled job group " + GROUP);
        QLoraModel resumed = fit("cancelled");
        assertThat(resumed.summary().resumedFrom()).isGreaterThanOrEqualTo(2);
        assertThat(Path.of(resumed.adapter().orElseThrow()).resolve(WEIGHTS))
                .hasSameBinaryContentAs(
                        Path.of(fit("whole").adapter().orElseThrow()).resolve(WEIGHTS));
    }

    private static QLoraModel fit(String output) {
        return fits.estimator(output).setMaxSteps(40).fit(fits.data(session));
    }

    /** Sees a job begin. */
    private static final class Started extends SparkListener {
        private final AtomicBoolean seen = new AtomicBoolean();
        private final String description;

        private Started(String description) {
            this.description = description;
        }

        @Override
        public void onJobStart(SparkListenerJobStart job) {
            if (job.properties().getProperty("spark.job.description", "").startsWith(description)) {
                seen.set(true);
            }
        }
    }
}
