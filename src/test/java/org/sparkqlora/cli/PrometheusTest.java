package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.metrics.sink.PrometheusServlet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.sparkqlora.options.Sessions;
import org.sparkqlora.spark.watch.RunFacts;
import org.sparkqlora.spark.watch.RunSource;
import org.sparkqlora.spark.watch.RunWatch;
import org.sparkqlora.train.metrics.PhaseSeconds;
import org.sparkqlora.train.metrics.ProcessMemory;
import org.sparkqlora.train.metrics.ShardReport;
import org.sparkqlora.train.metrics.StepMetrics;
import org.sparkqlora.train.metrics.StepSeconds;

/** The metrics that Prometheus scrapes from the port of Spark's web pages. */
@Tag("spark-line")
class PrometheusTest {
    private static final String SINK = "spark.metrics.conf.*.sink.prometheusServlet.";

    @BeforeAll
    static void askForPrometheus() {
        Sessions.stop();
        System.setProperty(SINK + "class", PrometheusServlet.class.getName());
        System.setProperty(SINK + "path", "/metrics/prometheus");
    }

    @AfterAll
    static void stop() {
        Sessions.stop();
        System.clearProperty(SINK + "class");
        System.clearProperty(SINK + "path");
    }

    @Test
    void theNewestValuesOfARunAreScraped() throws IOException, InterruptedException {
        JavaSparkContext context = Sessions.context("train");
        try (RunSource source = RunSource.register()) {
            RunWatch watch = new RunWatch(new RunFacts("run", Map.of(), 0), step -> List.of(), source, () -> 0);
            watch.started(0, 40);
            watch.computed(List.of(report("executor 1", 7)));
            watch.stepDone(step(1, 3.5));
            watch.stepDone(step(2, 2.5));
            watch.fault("lost executor 2");

            List<String> lines = scrape(context);

            assertThat(value(lines, "loss")).isEqualTo(2.5);
            assertThat(value(lines, "step")).isEqualTo(2);
            assertThat(value(lines, "steps")).isEqualTo(40);
            assertThat(value(lines, "tokensPerSecond")).isEqualTo(500);
            assertThat(value(lines, "learningRate")).isEqualTo(2e-4);
            assertThat(value(lines, "peakBytes")).isEqualTo(7);
            assertThat(value(lines, "faults")).isEqualTo(1);
        }

        assertThat(scrape(context)).noneMatch(line -> line.contains("_qlora_"));
    }

    @Test
    void workersThatLeftAreNotCounted() throws IOException, InterruptedException {
        JavaSparkContext context = Sessions.context("train");
        AtomicLong now = new AtomicLong();
        try (RunSource source = RunSource.register()) {
            RunWatch watch = new RunWatch(new RunFacts("run", Map.of(), 0), step -> List.of(), source, now::get);
            watch.computed(List.of(report("executor 1", 9), report("executor 2", 7)));
            watch.stepDone(step(1, 3.5));
            assertThat(value(scrape(context), "workers")).isEqualTo(2);

            now.set(Duration.ofHours(1).toMillis());
            watch.computed(List.of(report("executor 2", 7)));
            watch.stepDone(step(2, 2.5));

            assertThat(value(scrape(context), "workers")).isEqualTo(1);
            assertThat(value(scrape(context), "peakBytes")).isEqualTo(7);
        }
    }

    private static ShardReport report(String worker, long peakBytes) {
        return new ShardReport(worker, PhaseSeconds.ZERO, new ProcessMemory(5, peakBytes));
    }

    private static StepMetrics step(int step, double loss) {
        StepSeconds times = new StepSeconds(new PhaseSeconds(0, 0, 0, 0, 1.5), 0.5, 0);
        return new StepMetrics(
                step, loss, 800, 1000, 2e-4, OptionalDouble.empty(), OptionalDouble.empty(), times, Map.of(), 0);
    }

    private static List<String> scrape(JavaSparkContext context) throws IOException, InterruptedException {
        URI address = URI.create(context.sc().uiWebUrl().get() + "/metrics/prometheus/");
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(address).build(), HttpResponse.BodyHandlers.ofString())
                .body()
                .lines()
                .toList();
    }

    private static double value(List<String> lines, String name) {
        String line = lines.stream()
                .filter(each -> each.contains("_driver_qlora_%s_Value{".formatted(name)))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no %s in %s".formatted(name, lines)));
        return Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1));
    }
}
