package org.sparkqlora.checkpoint.hub;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A hub on loopback with one model, {@code org/small}. Large files are, as on the real one, on another address that the hub sends
 * clients to.
 */
public final class SmallHub implements AutoCloseable {
    public static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
    static final String TOKEN = "hf_secret";

    private static final int LARGE = 1000;

    public final List<String> requests = new CopyOnWriteArrayList<>();
    public final Map<String, byte[]> files = new TreeMap<>();

    /** Bodies that break off after their first half, from now on. */
    final AtomicInteger breaks = new AtomicInteger();

    /** Where the part of a large file begins whose bodies break off. */
    final AtomicLong brokenFrom = new AtomicLong(Long.MAX_VALUE);

    /** Requests to the hub that it is too busy for, from now on. */
    final AtomicInteger refusals = new AtomicInteger();

    /** Bytes that the listing claims of each file beside what it has. */
    final AtomicLong claimed = new AtomicLong();

    volatile boolean isGated;
    volatile boolean isDamaged;

    private final HttpServer hub;
    private final HttpServer store;

    public SmallHub() throws IOException {
        hub = serve("/", this::answer);
        store = serve(
                "/",
                exchange -> send(exchange, exchange.getRequestURI().getPath().substring(1)));
        files.put("config.json", "{}".getBytes(StandardCharsets.UTF_8));
        files.put("tokenizer.json", "[]".getBytes(StandardCharsets.UTF_8));
        files.put("model.safetensors", bytes(100_000));
        files.put("pytorch_model.bin", bytes(50));
        files.put("modeling_small.py", "import os".getBytes(StandardCharsets.UTF_8));
        files.put("onnx/model.safetensors", bytes(60));
    }

    String endpoint() {
        return "http://127.0.0.1:" + hub.getAddress().getPort();
    }

    public HubAccess access(@Nullable String token) {
        return new HubAccess(endpoint() + "/", token, HubAccess.Network.ONLINE);
    }

    private static HttpServer serve(String path, com.sun.net.httpserver.HttpHandler handler) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext(path, handler);
        server.start();
        return server;
    }

    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        note("hub", exchange);
        if (refusals.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
            exchange.getResponseHeaders().add("Retry-After", "7");
            status(exchange, 429);
        } else if (isGated
                && !("Bearer " + TOKEN).equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
            status(exchange, 401);
        } else if (path.equals("/api/models/org/small/revision/main")
                || path.equals("/api/models/org/small/revision/" + COMMIT)) {
            write(exchange, 200, listing().getBytes(StandardCharsets.UTF_8));
        } else if (path.startsWith("/org/small/resolve/" + COMMIT + "/")) {
            resolve(exchange, path.substring(("/org/small/resolve/" + COMMIT + "/").length()));
        } else {
            status(exchange, 404);
        }
    }

    private void resolve(HttpExchange exchange, String name) throws IOException {
        if (bytesOf(name).length < LARGE) {
            send(exchange, name);
            return;
        }

        exchange.getResponseHeaders()
                .add(
                        "Location",
                        "http://localhost:%d/%s".formatted(store.getAddress().getPort(), name));
        status(exchange, 302);
    }

    private void send(HttpExchange exchange, String name) throws IOException {
        note("file", exchange);
        byte[] whole = bytesOf(name);
        String range = exchange.getRequestHeaders().getFirst("Range");
        Matcher bounds = Pattern.compile("bytes=(\\d+)-(\\d*)").matcher(range == null ? "bytes=0-" : range);
        assertThat(bounds.matches()).as(range).isTrue();
        int from = Integer.parseInt(bounds.group(1));
        int end = bounds.group(2).isEmpty()
                ? whole.length
                : Math.min(whole.length, Integer.parseInt(bounds.group(2)) + 1);
        write(exchange, range == null ? 200 : 206, Arrays.copyOfRange(whole, from, end), from >= brokenFrom.get());
    }

    private void write(HttpExchange exchange, int status, byte[] body) throws IOException {
        write(exchange, status, body, false);
    }

    private void write(HttpExchange exchange, int status, byte[] body, boolean broken) throws IOException {
        boolean breaking = broken || body.length >= LARGE && breaks.getAndUpdate(left -> Math.max(0, left - 1)) > 0;
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body, 0, breaking ? body.length / 2 : body.length);
        exchange.getResponseBody().flush();
        exchange.close();
    }

    private static void status(HttpExchange exchange, int status) throws IOException {
        exchange.sendResponseHeaders(status, -1);
        exchange.close();
    }

    private void note(String place, HttpExchange exchange) {
        requests.add("%s %s range %s, %s"
                .formatted(
                        place,
                        exchange.getRequestURI().getPath(),
                        exchange.getRequestHeaders().getFirst("Range"),
                        exchange.getRequestHeaders().containsKey("Authorization") ? "token" : "no token"));
    }

    private byte[] bytesOf(String name) {
        byte[] bytes = files.getOrDefault(name, new byte[0]).clone();
        if (isDamaged && bytes.length > LARGE) {
            bytes[bytes.length / 2]++;
        }

        return bytes;
    }

    private String listing() {
        ObjectNode root = new ObjectMapper().createObjectNode();
        root.put("sha", COMMIT);
        files.forEach((name, bytes) -> {
            ObjectNode file = root.withArray("siblings").addObject();
            file.put("rfilename", name);
            file.put("size", bytes.length + claimed.get());
            file.put(
                    "blobId",
                    hex("SHA-1", "blob %d\0".formatted(bytes.length).getBytes(StandardCharsets.UTF_8), bytes));
            if (bytes.length >= LARGE) {
                file.putObject("lfs")
                        .put("sha256", hex("SHA-256", new byte[0], bytes))
                        .put("size", bytes.length + claimed.get());
            }
        });
        return root.toString();
    }

    private static String hex(String algorithm, byte[] before, byte[] bytes) {
        try {
            MessageDigest digest = MessageDigest.getInstance(algorithm);
            digest.update(before);
            return HexFormat.of().formatHex(digest.digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] bytes(int count) {
        byte[] bytes = new byte[count];
        for (int i = 0; i < count; i++) {
            bytes[i] = (byte) (i * 31);
        }

        return bytes;
    }

    @Override
    public void close() {
        hub.stop(0);
        store.stop(0);
    }
}
