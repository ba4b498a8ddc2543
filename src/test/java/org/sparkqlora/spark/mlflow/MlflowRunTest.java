package org.sparkqlora.spark.mlflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.StalledServer;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.watch.PhaseTimes;
import org.sparkqlora.spark.watch.StepTaken;

/** A run whose tracking server is away for a while, or for good. */
class MlflowRunTest {
    private static final Pattern STEP = Pattern.compile("\"key\":\"loss\"[^}]*\"step\":(\\d+)");

    private static final Duration LONGEST_WAIT = Duration.ofMinutes(5);

    private static final MlflowExperiment.Patience MOMENT =
            new MlflowExperiment.Patience(Duration.ofSeconds(1), Duration.ofSeconds(30));

    private final List<String> told = Collections.synchronizedList(new ArrayList<>());
    private final List<String> batches = Collections.synchronizedList(new ArrayList<>());
    private final List<String> descriptions = Collections.synchronizedList(new ArrayList<>());
    private final List<String> remembered = Collections.synchronizedList(new ArrayList<>());
    private final List<String> paths = Collections.synchronizedList(new ArrayList<>());
    private final AtomicInteger failures = new AtomicInteger();
    private final AtomicInteger undescribed = new AtomicInteger();
    private volatile boolean deaf;
    private HttpServer server;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void valuesOfAnOutageArriveAfterIt() throws Exception {
        try (MlflowRun run = run()) {
            awaitBatch(run, 1);
            failures.set(2);
            for (int step = 2; step <= 3000; step++) {
                run.accept(taken(step));
            }

            awaitTold("answers again");
            run.ended(List.of(new MlflowFile("adapter/a b.bin", 3, () -> new ByteArrayInputStream(new byte[3]))));
        }

        assertThat(steps()).hasSize(3000).doesNotHaveDuplicates();
        assertThat(told).hasSize(3);
        assertThat(told.get(0)).contains("answered 503: busy", "Training goes on");
        assertThat(told.get(2)).startsWith("MLflow has the run r1 at http://127.0.0.1:");
        assertThat(paths).contains("/api/2.0/mlflow-artifacts/artifacts/7/r1/artifacts/adapter/a%20b.bin");
    }

    @Test
    void anOutageBeforeTheParametersLosesNone() throws Exception {
        undescribed.set(1);
        try (MlflowRun run = run()) {
            awaitBatch(run, 1);
        }

        assertThat(descriptions).singleElement().asString().contains("lora.rank");
        assertThat(remembered).containsExactly("r1");
        assertThat(paths).filteredOn(path -> path.endsWith("runs/create")).hasSize(1);
    }

    /** The server would refuse parameters that have changed, such as the number of steps. */
    @Test
    void aRunThatGoesOnIsNotDescribedAgain() throws Exception {
        try (MlflowRun run = run(MlflowExperiment.Patience.DEFAULT, "r1")) {
            awaitBatch(run, 1);
            run.ended(List.of());
        }

        assertThat(descriptions).isEmpty();
        assertThat(told).singleElement().asString().startsWith("MLflow has the run r1");
    }

    @Test
    void aServerThatStaysAwayIsToldOnceAndAtTheEnd() throws Exception {
        try (MlflowRun run = run()) {
            awaitBatch(run, 1);
            failures.set(Integer.MAX_VALUE);
            run.accept(taken(2));
            awaitTold("Training goes on");
            run.ended(List.of());
        }

        assertThat(told).hasSize(2);
        assertThat(told.get(1))
                .isEqualTo("MLflow lacks 3 values of this run, which metrics.jsonl has, and what it published");
    }

    @Test
    @Timeout(900)
    void aServerThatStopsInTheMiddleOfAnAnswerIsNotWaitedFor() throws Exception {
        try (StalledServer stalled = StalledServer.afterHalfOf("{\"experiment\":{\"experiment_id\":\"7\"}}")) {
            MlflowAddress address = MlflowAddress.of(stalled.address(), Map.of());

            assertThatThrownBy(() -> MlflowExperiment.open(address, "tests", MOMENT))
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessageContaining("Failed to reach MLflow at %s: the answer stopped", stalled.address());
        }
    }

    /** Larger than what the connection holds. */
    @Test
    @Timeout(900)
    void aServerThatTakesNoMoreOfAFileDoesNotKeepTheDriver() throws Exception {
        MlflowFile large = new MlflowFile("model.bin", 1L << 30, ZeroBytes::new);
        try (MlflowRun run = run(MOMENT)) {
            awaitBatch(run, 1);
            deaf = true;
            run.ended(List.of(large));
        }

        assertThat(told)
                .singleElement()
                .asString()
                .contains("did not take the end of the run", "it took no byte for 1 s");
    }

    @Test
    @Timeout(900)
    void theEndOfARunMayTakeSoLongAsAWhole() throws Exception {
        try (MlflowRun run = run(new MlflowExperiment.Patience(Duration.ofSeconds(30), Duration.ZERO))) {
            awaitBatch(run, 1);
            run.ended(List.of(new MlflowFile("a.bin", 3, () -> new ByteArrayInputStream(new byte[3]))));
        }

        assertThat(told).singleElement().asString().contains("MLflow took more than 0 s for the end of the run");
        assertThat(paths).noneMatch(path -> path.contains("a.bin"));
    }

    @Test
    void aTokenOfTwoLinesIsRefusedAndNotShown() {
        assertThatThrownBy(() -> MlflowAddress.of("http://host", Map.of("MLFLOW_TRACKING_TOKEN", "secret\nother")))
                .isInstanceOf(BadInputException.class)
                .hasMessage("expected MLFLOW_TRACKING_TOKEN to be of visible characters on one line, found others");
    }

    @Test
    void theEnvironmentSaysWhereAndWho() {
        Map<String, String> environment = Map.of(
                "MLFLOW_TRACKING_URI",
                "https://host:5000/",
                "MLFLOW_TRACKING_USERNAME",
                "u",
                "MLFLOW_TRACKING_PASSWORD",
                "p");

        MlflowAddress address = MlflowAddress.of("", environment);

        assertThat(address.server()).isEqualTo("https://host:5000");
        assertThat(address.authorization()).isEqualTo("Basic dTpw");
        assertThat(address.toString()).doesNotContain("dTpw");
    }

    @Test
    void aPasswordInTheAddressIsSentAndNotShown() {
        MlflowAddress address = MlflowAddress.of("http://u:p@host:5000", Map.of());

        assertThat(address.authorization()).isEqualTo("Basic dTpw");
        assertThat(address.toString()).isEqualTo("http://host:5000");
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"", "databricks", "file:///tmp/mlruns", "sqlite:///m.db", "ht tp://x"})
    void anAddressThatIsNoServerIsRefused(String address) {
        assertThatThrownBy(() -> MlflowAddress.of(address, Map.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("expected ");
    }

    private MlflowRun run() {
        return run(MlflowExperiment.Patience.DEFAULT);
    }

    private MlflowRun run(MlflowExperiment.Patience patience) {
        return run(patience, null);
    }

    private MlflowRun run(MlflowExperiment.Patience patience, @Nullable String earlier) {
        MlflowAddress address =
                MlflowAddress.of("http://127.0.0.1:" + server.getAddress().getPort(), Map.of());
        MlflowExperiment experiment = MlflowExperiment.open(address, "tests", patience);
        MlflowFacts facts =
                new MlflowFacts("name", earlier, Map.of("lora.rank", "16"), Map.of(), List.of(), remembered::add);
        return new MlflowRun(experiment, facts, told::add);
    }

    private static StepTaken taken(long step) {
        return new StepTaken("r", step, step, 1.5, 1e-4, null, 10, PhaseTimes.ZERO, Map.of());
    }

    private void awaitBatch(MlflowRun run, int step) {
        run.accept(taken(step));
        await("a batch").atMost(LONGEST_WAIT).until(() -> !batches.isEmpty());
    }

    private void awaitTold(String text) {
        await(text).atMost(LONGEST_WAIT).until(() -> String.join("\n", List.copyOf(told)), all -> all.contains(text));
    }

    private List<Long> steps() {
        return batches.stream()
                .flatMap(batch -> STEP.matcher(batch).results())
                .map(found -> Long.parseLong(found.group(1)))
                .toList();
    }

    /** A file of any length. */
    private static final class ZeroBytes extends InputStream {
        @Override
        public int read() {
            return 0;
        }
    }

    private void answer(HttpExchange exchange) throws IOException {
        if (deaf) {
            return; // the connection stays, and nobody reads from it
        }

        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        String path = exchange.getRequestURI().getRawPath();
        paths.add(path);
        if (failures.get() > 0) {
            failures.decrementAndGet();
            send(exchange, 503, "busy");
        } else if (path.endsWith("log-batch") && body.contains("metrics")) {
            batches.add(body);
            send(exchange, 200, "{}");
        } else if (path.endsWith("log-batch") && undescribed.getAndDecrement() > 0) {
            send(exchange, 503, "busy");
        } else if (path.endsWith("log-batch")) {
            descriptions.add(body);
            send(exchange, 200, "{}");
        } else if (path.endsWith("get-by-name")) {
            send(exchange, 200, "{\"experiment\":{\"experiment_id\":\"7\"}}");
        } else {
            send(
                    exchange,
                    200,
                    "{\"run\":{\"info\":{\"run_id\":\"r1\",\"artifact_uri\":\"mlflow-artifacts:/7/r1/artifacts\"}}}");
        }
    }

    private static void send(HttpExchange exchange, int code, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(code, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }
}
