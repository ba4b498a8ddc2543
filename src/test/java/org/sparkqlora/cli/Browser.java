package org.sparkqlora.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/** A Chromium without a window, spoken to by its own protocol, and what it complains about. */
final class Browser implements AutoCloseable {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final List<String> NAMES =
            List.of("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome");
    private static final Duration LONGEST_WAIT = Duration.ofMinutes(5);

    private final Process process;
    private final Path profile;
    private final WebSocket socket;
    private final BlockingQueue<JsonNode> messages;
    private final List<String> errors = new ArrayList<>();
    private int last;

    private Browser(Process process, Path profile, WebSocket socket, BlockingQueue<JsonNode> messages) {
        this.process = process;
        this.profile = profile;
        this.socket = socket;
        this.messages = messages;
    }

    /** For {@code @EnabledIf}. */
    static boolean isThere() {
        return program().isPresent();
    }

    static Browser open() throws IOException, InterruptedException {
        Path profile = Files.createTempDirectory("browser-");
        Process process = new ProcessBuilder(
                        program().orElseThrow().toString(),
                        "--headless=new",
                        "--no-sandbox",
                        "--disable-gpu",
                        "--disable-dev-shm-usage",
                        "--hide-scrollbars",
                        "--no-first-run",
                        "--remote-debugging-port=0",
                        "--user-data-dir=" + profile,
                        "about:blank")
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        BlockingQueue<JsonNode> messages = new LinkedBlockingQueue<>();
        WebSocket socket = HttpClient.newHttpClient()
                .newWebSocketBuilder()
                .buildAsync(page(port(profile)), new Listener(messages))
                .join();
        Browser browser = new Browser(process, profile, socket, messages);
        for (String domain : List.of("Page", "Runtime", "Log", "Network")) {
            browser.call(domain + ".enable", Map.of());
        }

        return browser;
    }

    /** Returns once the page and all that belongs to it is there. */
    void go(String address) throws InterruptedException {
        call("Page.navigate", Map.of("url", address));
        awaitEvent("Page.loadEventFired");
    }

    /** Points of a screen with two pixels a point, as a phone or a laptop has. */
    void size(int width, int height) throws InterruptedException {
        call(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", width, "height", height, "deviceScaleFactor", 2, "mobile", width < 600));
    }

    void dark() throws InterruptedException {
        scheme("dark");
    }

    void light() throws InterruptedException {
        scheme("light");
    }

    /** The value of an expression. */
    JsonNode evaluate(String script) throws InterruptedException {
        JsonNode result = call("Runtime.evaluate", Map.of("expression", script, "returnByValue", true));
        if (result.has("exceptionDetails")) {
            throw new AssertionError("Failed to run %s: %s".formatted(script, result));
        }

        return result.at("/result/value");
    }

    /** Waits until an expression is true. */
    void await(String condition) {
        Awaitility.await(condition)
                .atMost(LONGEST_WAIT)
                .until(() -> evaluate(condition).asBoolean());
    }

    /** The whole page as a picture. */
    void screenshot(Path file) throws IOException, InterruptedException {
        JsonNode size = call("Page.getLayoutMetrics", Map.of()).path("cssContentSize");
        Map<String, Object> clip = Map.of(
                "x",
                0,
                "y",
                0,
                "width",
                size.path("width").asInt(),
                "height",
                size.path("height").asInt(),
                "scale",
                1);
        JsonNode picture = call("Page.captureScreenshot", Map.of("captureBeyondViewport", true, "clip", clip));
        Files.createDirectories(file.getParent());
        Files.write(file, Base64.getDecoder().decode(picture.path("data").asText()));
    }

    /** The errors of the console, and the requests that failed. */
    List<String> errors() throws InterruptedException {
        evaluate("0"); // takes in what came before
        return List.copyOf(errors);
    }

    @Override
    public void close() throws IOException {
        socket.abort();
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        process.onExit().join();
        Folders.delete(profile);
    }

    private void scheme(String name) throws InterruptedException {
        call(
                "Emulation.setEmulatedMedia",
                Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", name))));
    }

    private JsonNode call(String method, Map<String, Object> parameters) throws InterruptedException {
        int id = ++last;
        ObjectNode message = MAPPER.createObjectNode().put("id", id).put("method", method);
        message.set("params", MAPPER.valueToTree(parameters));
        socket.sendText(message.toString(), true).join();
        while (true) {
            JsonNode answer = next(method);
            if (answer.path("id").asInt() == id) {
                if (answer.has("error")) {
                    throw new AssertionError("Failed to call %s: %s".formatted(method, answer.path("error")));
                }

                return answer.path("result");
            }
        }
    }

    private void awaitEvent(String name) throws InterruptedException {
        while (!next(name).path("method").asText().equals(name)) {
            Thread.onSpinWait();
        }
    }

    private JsonNode next(String wanted) throws InterruptedException {
        JsonNode message = messages.poll(LONGEST_WAIT.toSeconds(), TimeUnit.SECONDS);
        if (message == null) {
            throw new AssertionError("Nothing of %s in %d s".formatted(wanted, LONGEST_WAIT.toSeconds()));
        }

        note(message);
        return message;
    }

    private void note(JsonNode message) {
        JsonNode parameters = message.path("params");
        switch (message.path("method").asText()) {
            case "Runtime.exceptionThrown" ->
                errors.add(parameters.path("exceptionDetails").toString());
            case "Log.entryAdded" -> noteError(parameters.at("/entry/level"), parameters);
            case "Runtime.consoleAPICalled" -> noteError(parameters.path("type"), parameters);
            default -> {}
        }
    }

    private void noteError(JsonNode level, JsonNode parameters) {
        if (level.asText().equals("error")) {
            errors.add(parameters.toString());
        }
    }

    private static Optional<Path> program() {
        List<Path> folders = Stream.of(System.getenv("PATH").split(File.pathSeparator, -1))
                .map(Path::of)
                .toList();
        return NAMES.stream()
                .flatMap(name -> folders.stream().map(folder -> folder.resolve(name)))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /** Chromium writes the port that it chose into a file of its profile. */
    private static int port(Path profile) throws IOException {
        Path file = profile.resolve("DevToolsActivePort");
        Awaitility.await("Chromium to listen")
                .atMost(LONGEST_WAIT)
                .until(() -> Files.exists(file) && Files.size(file) > 0);
        return Integer.parseInt(Files.readAllLines(file).get(0));
    }

    private static URI page(int port) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:%d/json/new?about:blank".formatted(port)))
                .PUT(HttpRequest.BodyPublishers.noBody())
                .build();
        HttpResponse<String> answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        return URI.create(
                MAPPER.readTree(answer.body()).path("webSocketDebuggerUrl").asText());
    }

    /** Puts messages, which come in parts, together. */
    private static final class Listener implements WebSocket.Listener {
        private final BlockingQueue<JsonNode> messages;
        private final StringBuilder text = new StringBuilder();

        private Listener(BlockingQueue<JsonNode> messages) {
            this.messages = messages;
        }

        @Override
        public CompletionStage<?> onText(WebSocket socket, CharSequence part, boolean isLast) {
            text.append(part);
            if (isLast) {
                messages.add(parse(text.toString()));
                text.setLength(0);
            }

            socket.request(1);
            return CompletableFuture.completedStage(null);
        }

        private static JsonNode parse(String text) {
            try {
                return MAPPER.readTree(text);
            } catch (IOException e) {
                throw new IllegalStateException("Cannot read a message of Chromium", e);
            }
        }
    }
}
