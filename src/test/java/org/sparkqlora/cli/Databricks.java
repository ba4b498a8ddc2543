package org.sparkqlora.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.sparkqlora.command.ExitCode;

/** Takes runs as Databricks' jobs API does, keeps what they say, and ends each as it is told: it runs nothing. */
final class Databricks implements AutoCloseable {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final int OK = 200;
    private static final int NOT_FOUND = 404;

    private final HttpServer server;
    private final List<JsonNode> submitted = new ArrayList<>();
    private final Map<String, List<ExitCode>> failures = new ConcurrentHashMap<>();
    private final Map<Integer, ExitCode> endings = new ConcurrentHashMap<>();
    private final Map<Integer, AtomicInteger> questions = new ConcurrentHashMap<>();

    private Databricks(HttpServer server) {
        this.server = server;
    }

    static Databricks start() throws IOException {
        Databricks databricks =
                new Databricks(HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0));
        databricks.server.createContext("/", databricks::answer);
        databricks.server.start();
        return databricks;
    }

    int port() {
        return server.getAddress().getPort();
    }

    /** The next run of a task fails so. */
    void failNext(String task, ExitCode code) {
        failures.computeIfAbsent(task, key -> new ArrayList<>()).add(code);
    }

    /** Bodies of the requests to run something, in order, since the last call. */
    synchronized List<JsonNode> takeSubmitted() {
        List<JsonNode> taken = List.copyOf(submitted);
        submitted.clear();
        return taken;
    }

    @Override
    public void close() {
        server.stop(0);
    }

    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        String call = path.substring(path.lastIndexOf('/') + 1);
        try (exchange) {
            switch (call) {
                case "submit" -> send(exchange, OK, submit(MAPPER.readTree(exchange.getRequestBody())));
                case "get" -> send(exchange, OK, state(run(exchange)));
                case "get-output" -> send(exchange, OK, output(run(exchange)));
                default -> send(exchange, NOT_FOUND, MAPPER.createObjectNode().put("message", path));
            }
        }
    }

    private synchronized ObjectNode submit(JsonNode body) {
        submitted.add(body);
        int run = endings.size() + 1;
        List<ExitCode> next = failures.getOrDefault(body.at("/tasks/0/task_key").asText(), new ArrayList<>());
        endings.put(run, next.isEmpty() ? ExitCode.OK : next.remove(0));
        return MAPPER.createObjectNode().put("run_id", run);
    }

    /** The first questions are answered that it still runs, so that Airflow waits as it would for hours. */
    private ObjectNode state(int run) {
        boolean runs =
                questions.computeIfAbsent(run, key -> new AtomicInteger()).incrementAndGet() < 4;
        boolean failed = endings.get(run) != ExitCode.OK;
        ObjectNode root = MAPPER.createObjectNode();
        root.put("job_id", run).put("run_id", run).put("run_page_url", "http://127.0.0.1/run/" + run);
        ObjectNode state = root.putObject("state").put("state_message", "");
        state.put("life_cycle_state", runs ? "RUNNING" : "TERMINATED");
        if (!runs) {
            state.put("result_state", failed ? "FAILED" : "SUCCESS");
        }

        ObjectNode task = root.putArray("tasks").addObject().put("run_id", run).put("task_key", "task");
        task.set("state", state);
        return root;
    }

    /** As the program's main method throws it there. */
    private ObjectNode output(int run) {
        ExitCode code = endings.getOrDefault(run, ExitCode.OK);
        return MAPPER.createObjectNode()
                .put(
                        "error",
                        "IllegalStateException: spark-qlora failed with code %d (%s); the reason is above"
                                .formatted(code.code(), code));
    }

    private static int run(HttpExchange exchange) throws IOException {
        String query = exchange.getRequestURI().getQuery();
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        String digits = (query == null ? body : query).replaceAll("\\D+", " ").strip();
        return Integer.parseInt(digits.substring(0, (digits + " ").indexOf(' ')));
    }

    private static void send(HttpExchange exchange, int status, ObjectNode answer) throws IOException {
        byte[] bytes = answer.toString().getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, bytes.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(bytes);
        }
    }
}
