package org.sparkqlora.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Stands in for Unity Catalog's registry of models, and keeps what it is asked. Files of versions lie in folders of this host. */
final class UnityCatalogServer implements AutoCloseable {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String API = "/api/";
    private static final int OK = 200;
    private static final int CONFLICT = 409;

    private final HttpServer server;
    private final Path folder;
    private final List<Request> requests = Collections.synchronizedList(new ArrayList<>());
    private int versions;
    private boolean made;

    /** What a client asked. */
    record Request(String method, String path, JsonNode body) {}

    private UnityCatalogServer(HttpServer server, Path folder) {
        this.server = server;
        this.folder = folder;
    }

    static UnityCatalogServer start(Path folder) throws IOException {
        UnityCatalogServer started =
                new UnityCatalogServer(HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0), folder);
        started.server.createContext("/", started::answer);
        started.server.start();
        return started;
    }

    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    /** The requests since the last call. */
    List<Request> taken() {
        List<Request> taken = List.copyOf(requests);
        requests.clear();
        return taken;
    }

    Path version(int number) {
        return folder.resolve("version-" + number);
    }

    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        JsonNode body = MAPPER.readTree(exchange.getRequestBody());
        if (path.startsWith(API)) { // Databricks' client looks for more than its API
            requests.add(new Request(exchange.getRequestMethod(), path, body));
        }

        boolean again = path.endsWith("/models") && made;
        byte[] bytes = (again
                        ? "{\"error_code\": \"RESOURCE_ALREADY_EXISTS\"}"
                        : said(path, body).toString())
                .getBytes(StandardCharsets.UTF_8);
        made |= path.endsWith("/models");
        exchange.sendResponseHeaders(again ? CONFLICT : OK, bytes.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(bytes);
        }
    }

    private ObjectNode said(String path, JsonNode body) {
        ObjectNode said = body.isObject() ? body.deepCopy() : MAPPER.createObjectNode();
        if (path.endsWith("/versions")) {
            versions++;
            said.put("version", versions)
                    .put("storage_location", version(versions).toUri().toString());
        }

        return said;
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
