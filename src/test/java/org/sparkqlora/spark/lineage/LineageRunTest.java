package org.sparkqlora.spark.lineage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.http.Backoff;
import org.sparkqlora.input.BadInputException;

/** The events of a run at a server, whatever that answers. */
class LineageRunTest {
    private static final Backoff AT_ONCE =
            new Backoff(3, Duration.ofMillis(1), Duration.ofMillis(1), wait -> {}, () -> 0);

    private final List<String> events = Collections.synchronizedList(new ArrayList<>());
    private final List<String> headers = Collections.synchronizedList(new ArrayList<>());
    private final Deque<Integer> answers = new ArrayDeque<>();
    private final List<String> told = new ArrayList<>();
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
    void workThatEndsIsComplete() {
        assertThat(begin().follow(() -> "made", made -> List.of(LineageDataset.named("file", "/" + made))))
                .isEqualTo("made");

        assertThat(events).hasSize(2);
        assertThat(events.get(0)).startsWith("{\"eventType\":\"START\"").doesNotContain("/made");
        assertThat(events.get(1)).startsWith("{\"eventType\":\"COMPLETE\"").contains("\"name\":\"/made\"");
        assertThat(headers).containsOnly("/api/v1/lineage Bearer secret");
    }

    @Test
    void workThatBreaksHasFailedWithItsMessage() {
        LineageRun run = begin();

        assertThatThrownBy(() -> run.follow(
                        () -> {
                            throw new BadInputException("Cannot read it");
                        },
                        made -> List.of()))
                .isInstanceOf(BadInputException.class)
                .hasMessage("Cannot read it");
        assertThat(events.get(1))
                .startsWith("{\"eventType\":\"FAIL\"")
                .contains("\"errorMessage\":", "\"message\":\"Cannot read it\"", "LineageRunTest");
    }

    @Test
    void workThatIsCancelledIsAborted() {
        LineageRun run = begin();
        SparkException cancelled = new SparkException("Job 3 cancelled as part of cancellation of all jobs");

        assertThatThrownBy(() -> run.follow(
                        () -> {
                            throw new IllegalStateException(cancelled);
                        },
                        made -> List.of()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage(cancelled.toString());
        assertThat(events.get(1)).startsWith("{\"eventType\":\"ABORT\"").doesNotContain("errorMessage");
    }

    @Test
    void aServerInTroubleIsAskedAgain() {
        answers.addAll(List.of(503, 429));

        begin().follow(() -> "made", made -> List.of());

        assertThat(events).hasSize(4);
        assertThat(events.get(0)).isEqualTo(events.get(1)).isEqualTo(events.get(2));
    }

    @Test
    void aServerThatRefusesTheStartStopsTheRunBeforeItsWork() {
        answers.add(401);

        assertThatThrownBy(this::begin)
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "Cannot send lineage: expected %s to take the event, found that it answers 401 no", address());
    }

    @Test
    void aServerThatIsNotThereIsOutsideTrouble() {
        server.stop(0);

        assertThatThrownBy(this::begin)
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("Failed to send lineage to " + address());
    }

    @Test
    void noWorkIsLostToAServerThatGoesAway() {
        LineageRun run = begin();
        answers.addAll(List.of(500, 500, 500));

        assertThat(run.follow(() -> "made", made -> List.of())).isEqualTo("made");
        assertThat(told.get(1)).contains("answers 500 no", "Lineage has no COMPLETE of this run");
    }

    @ParameterizedTest
    @CsvSource({
        "/data/a/, file, /data/a",
        "file:/data/a, file, /data/a",
        "s3a://bucket/a/b, s3://bucket, a/b",
        "gs://bucket/a, gs://bucket, a",
        "abfs://box@account.dfs.core.windows.net/a, abfss://box@account.dfs.core.windows.net, a",
        "hdfs://name:8020/user/a, hdfs://name:8020, /user/a",
        "dbfs:/Volumes/main/a, dbfs, /Volumes/main/a"
    })
    void dataIsNamedByItsPlace(String address, String namespace, String name) {
        assertThat(LineageDataset.at(URI.create(address))).isEqualTo(LineageDataset.named(namespace, name));
    }

    private LineageRun begin() {
        LineageFacts facts =
                new LineageFacts(new LineageName("here", "owls.train"), "TRAIN", null, "3.5.9", "1", List.of());
        HttpLineage sink =
                new HttpLineage(address(), Map.of("Authorization", "Bearer secret"), Duration.ofSeconds(5), AT_ONCE);
        return LineageRun.start(sink, facts, List.of(), Clock.systemUTC(), told::add);
    }

    private URI address() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/api/v1/lineage");
    }

    private void answer(HttpExchange exchange) throws IOException {
        events.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
        headers.add(
                exchange.getRequestURI() + " " + exchange.getRequestHeaders().getFirst("Authorization"));
        Integer code = answers.isEmpty() ? Integer.valueOf(201) : answers.removeFirst();
        byte[] body = "no".getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(code, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }
}
