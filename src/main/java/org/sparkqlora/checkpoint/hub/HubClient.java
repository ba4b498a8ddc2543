package org.sparkqlora.checkpoint.hub;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import org.sparkqlora.http.AnswerBody;
import org.sparkqlora.http.BusyServerException;
import org.sparkqlora.http.WebAddress;
import org.sparkqlora.input.BadInputException;

/** Asks a hub of Hugging Face's kind. */
final class HubClient {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int LISTING_BYTES = 32 << 20;
    private static final int REDIRECTIONS = 5;
    private static final int OK = 200;
    private static final int PARTIAL = 206;
    private static final int UNAUTHORIZED = 401;
    private static final int FORBIDDEN = 403;
    private static final int NOT_FOUND = 404;

    private final HubAccess access;
    private final Duration patience;
    private final HttpClient http;

    HubClient(HubAccess access) {
        this(access, PATIENCE);
    }

    /** One that waits so long for a connection, for an answer, and for each byte of it. */
    HubClient(HubAccess access, Duration patience) {
        this.access = access;
        this.patience = patience;
        this.http = HttpClient.newBuilder()
                .connectTimeout(patience)
                .followRedirects(HttpClient.Redirect.NEVER) // they would take the token along
                .build();
    }

    /** The commit and files of a model's revision. */
    HubListingJson list(HubId id) throws IOException {
        URI address = address("api/models/%s/revision/%s?blobs=true".formatted(id.name(), id.revision()));
        HttpResponse<AnswerBody> response = get(address, "");
        try (AnswerBody body = response.body()) {
            require(response, id);
            return HubListingJson.read(body.text(LISTING_BYTES, patience), id);
        }
    }

    /** {@code count} bytes of a file, of which there is at least one, and more if the hub cannot do that: {@link Download} says from where. */
    Download open(HubId id, String file, long from, int count) throws IOException {
        String range = String.format(Locale.ROOT, "bytes=%d-%d", from, from + count - 1);
        HttpResponse<AnswerBody> response =
                get(address("%s/resolve/%s/%s".formatted(id.name(), id.revision(), file)), range);
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

    private HttpResponse<AnswerBody> get(URI address, String range) throws IOException {
        URI next = address;
        for (int i = 0; i < REDIRECTIONS; i++) {
            HttpResponse<AnswerBody> response = send(next, range);
            String location = response.headers().firstValue("Location").orElse(null);
            if (response.statusCode() / 100 != 3 || location == null) {
                return response;
            }

            response.body().close();
            next = redirected(next, location);
        }

        throw new IOException("Failed to read %s: expected at most %d redirections".formatted(address, REDIRECTIONS));
    }

    /** Never from an encrypted connection to one that anybody may read and change. */
    static URI redirected(URI from, String location) throws IOException {
        URI to = WebAddress.resolve(from, location)
                .orElseThrow(() ->
                        new IOException("Failed to read %s: it redirects to what is no web address".formatted(from)));
        if (from.getScheme().equals("https") && !to.getScheme().equals("https")) {
            throw new IOException("Failed to read %s: expected a redirection to https, found one to %s://%s"
                    .formatted(from, to.getScheme(), to.getHost()));
        }

        return to;
    }

    private HttpResponse<AnswerBody> send(URI address, String range) throws IOException {
        HttpRequest.Builder request = HttpRequest.newBuilder(address).timeout(patience);
        String token = access.token();
        if (token != null && access.trusts(address)) {
            request.header("Authorization", "Bearer " + token);
        }

        if (!range.isEmpty()) {
            request.header("Range", range);
        }

        try {
            return http.send(request.build(), AnswerBody.within(patience));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (IOException) new InterruptedIOException("interrupted while reading from " + access).initCause(e);
        }
    }

    private void require(HttpResponse<AnswerBody> response, HubId id) throws IOException {
        int status = response.statusCode();
        if (status == OK || status == PARTIAL) {
            return;
        }

        if (BusyServerException.isBusy(status)) {
            throw new BusyServerException(
                    "Failed to read %s from %s: it answered %d".formatted(id, access, status),
                    response.headers().firstValue("Retry-After").orElse(""),
                    Instant.now());
        }

        throw new BadInputException(refusal(status, id));
    }

    private String refusal(int status, HubId id) {
        return switch (status) {
            case UNAUTHORIZED, FORBIDDEN ->
                String.format(
                        Locale.ROOT,
                        "Cannot open model %s: %s refuses it (%d). %s",
                        id,
                        access,
                        status,
                        access.token() == null
                                ? "Is it private or gated? Then set HF_TOKEN"
                                : "May the user of HF_TOKEN read it?");
            case NOT_FOUND ->
                "Cannot open model %s: expected it in this folder or on %s, found it in neither".formatted(id, access);
            default -> String.format(Locale.ROOT, "Cannot open model %s: %s answered %d", id, access, status);
        };
    }
}
