package org.sparkqlora.checkpoint;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.sparkqlora.input.BadInputException;

/** Asks a hub of Hugging Face's kind. */
final class HubClient {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int REDIRECTIONS = 5;
    private static final int OK = 200;
    private static final int PARTIAL = 206;
    private static final int UNAUTHORIZED = 401;
    private static final int FORBIDDEN = 403;
    private static final int NOT_FOUND = 404;
    private static final int SERVER_ERROR = 500;
    private static final int TOO_MANY = 429;

    private final HubAccess access;
    private final HttpClient http;

    HubClient(HubAccess access) {
        this.access = access;
        this.http = HttpClient.newBuilder()
                .connectTimeout(PATIENCE)
                .followRedirects(HttpClient.Redirect.NEVER) // they would take the token along
                .build();
    }

    /** What a model's revision stands for. */
    HubListingJson list(HubId id) throws IOException {
        URI address = address("api/models/%s/revision/%s?blobs=true".formatted(id.name(), id.revision()));
        HttpResponse<InputStream> response = get(address, 0);
        try (InputStream body = response.body()) {
            require(response, id);
            return HubListingJson.read(new String(body.readAllBytes(), StandardCharsets.UTF_8), id);
        }
    }

    /** The bytes of a file, from {@code from} on if the hub can do that, else from 0: {@link Download} says which. */
    Download open(HubId id, HubFile file, long from) throws IOException {
        HttpResponse<InputStream> response =
                get(address("%s/resolve/%s/%s".formatted(id.name(), id.revision(), file.name())), from);
        try {
            require(response, id);
        } catch (IOException | RuntimeException e) {
            response.body().close();
            throw e;
        }

        return new Download(response.body(), response.statusCode() == PARTIAL ? from : 0);
    }

    /**
     * Bytes under way.
     *
     * @param from of the first
     */
    record Download(InputStream body, long from) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            body.close();
        }
    }

    private URI address(String path) {
        return URI.create(access.endpoint() + "/" + path);
    }

    private HttpResponse<InputStream> get(URI address, long from) throws IOException {
        URI next = address;
        for (int i = 0; i < REDIRECTIONS; i++) {
            HttpResponse<InputStream> response = send(next, from);
            String location = response.headers().firstValue("Location").orElse(null);
            if (response.statusCode() / 100 != 3 || location == null) {
                return response;
            }

            response.body().close();
            next = next.resolve(location);
        }

        throw new IOException("Failed to read %s: expected at most %d redirections".formatted(address, REDIRECTIONS));
    }

    private HttpResponse<InputStream> send(URI address, long from) throws IOException {
        HttpRequest.Builder request = HttpRequest.newBuilder(address).timeout(PATIENCE);
        String token = access.token();
        if (token != null && access.trusts(address)) {
            request.header("Authorization", "Bearer " + token);
        }

        if (from > 0) {
            request.header("Range", "bytes=%d-".formatted(from));
        }

        try {
            return http.send(request.build(), BodyHandlers.ofInputStream());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (IOException) new InterruptedIOException("interrupted while reading from " + access).initCause(e);
        }
    }

    private void require(HttpResponse<InputStream> response, HubId id) throws IOException {
        int status = response.statusCode();
        if (status == OK || status == PARTIAL) {
            return;
        }

        if (status >= SERVER_ERROR || status == TOO_MANY) {
            throw new IOException("Failed to read %s from %s: it answered %d".formatted(id, access, status));
        }

        throw new BadInputException(refusal(status, id));
    }

    private String refusal(int status, HubId id) {
        return switch (status) {
            case UNAUTHORIZED, FORBIDDEN ->
                "Cannot open model %s: %s refuses it (%d). %s"
                        .formatted(
                                id,
                                access,
                                status,
                                access.token() == null
                                        ? "Is it private or gated? Then set HF_TOKEN"
                                        : "May the user of HF_TOKEN read it?");
            case NOT_FOUND ->
                "Cannot open model %s: expected it in this folder or on %s, found it in neither".formatted(id, access);
            default -> "Cannot open model %s: %s answered %d".formatted(id, access, status);
        };
    }
}
