package org.sparkqlora.spark.mlflow;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import org.sparkqlora.http.AnswerBody;
import org.sparkqlora.http.BusyServerException;
import org.sparkqlora.input.BadInputException;

/**
 * Requests to a server of MLflow's protocols. Each either is taken or throws: {@link IOException} where the server cannot be reached or
 * is in trouble, {@link BadInputException} where it says no. None waits without end.
 */
final class MlflowHttp {
    private static final Duration CONNECT = Duration.ofSeconds(10);
    private static final int ANSWER_BYTES = 16 << 20;

    private final MlflowAddress address;
    private final Duration patience;
    private final HttpClient client;

    /** To a server that is waited for so long at each step. */
    MlflowHttp(MlflowAddress address, Duration patience) {
        this.address = address;
        this.patience = patience;
        this.client = HttpClient.newBuilder()
                .connectTimeout(CONNECT)
                .version(HttpClient.Version.HTTP_1_1)
                .build();
    }

    /** The answer of a server. */
    record Answer(int code, String text) {}

    /** A request under way. */
    interface Exchange {
        HttpResponse<AnswerBody> send() throws IOException, InterruptedException;
    }

    HttpClient client() {
        return client;
    }

    Duration patience() {
        return patience;
    }

    HttpRequest.Builder request(String path) {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create(address.server() + path)).timeout(patience);
        String authorization = address.authorization();
        return authorization == null ? request : request.header("Authorization", authorization);
    }

    /** Sends JSON by a method such as {@code POST}, to be taken or not. */
    Answer send(String method, String path, String json) throws IOException {
        return send(request(path)
                .header("Content-Type", "application/json")
                .method(method, HttpRequest.BodyPublishers.ofString(json)));
    }

    Answer send(HttpRequest.Builder request) throws IOException {
        return told(() -> client.send(request.build(), AnswerBody.within(patience)));
    }

    Answer told(Exchange exchange) throws IOException {
        try {
            HttpResponse<AnswerBody> response = exchange.send();
            try (AnswerBody body = response.body()) {
                return new Answer(response.statusCode(), body.text(ANSWER_BYTES, patience));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("Failed to talk to MLflow: interrupted", e);
        } catch (IOException e) {
            throw new IOException("Failed to reach MLflow at %s: %s".formatted(address, reason(e)), e);
        }
    }

    /** The text of an answer that takes the request. */
    String accepted(Answer answer) throws IOException {
        if (answer.code() / 100 == 2) {
            return answer.text();
        }

        String message = String.format(
                Locale.ROOT, "MLflow at %s answered %d: %s", address, answer.code(), MlflowJson.message(answer.text()));
        if (BusyServerException.isBusy(answer.code())) {
            throw new IOException(message);
        }

        throw new BadInputException(message);
    }

    private static String reason(IOException e) {
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }

    static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
