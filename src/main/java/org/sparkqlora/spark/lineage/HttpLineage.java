package org.sparkqlora.spark.lineage;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.sparkqlora.http.AnswerBody;
import org.sparkqlora.http.Backoff;
import org.sparkqlora.http.BusyServerException;
import org.sparkqlora.input.BadInputException;

/**
 * A server that takes events by HTTP, such as Marquez or DataHub.
 *
 * @param address with the path of the endpoint
 * @param headers of each request
 * @param patience longest wait for an answer
 */
public record HttpLineage(URI address, Map<String, String> headers, Duration patience, Backoff backoff)
        implements LineageSink {
    private static final int ANSWER_BYTES = 1 << 20;
    private static final int LONGEST_ANSWER = 300;

    public HttpLineage {
        headers = Map.copyOf(headers);
    }

    @Override
    public void send(String event) throws IOException {
        HttpRequest.Builder request = HttpRequest.newBuilder(address)
                .timeout(patience)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(event));
        new TreeMap<>(headers).forEach(request::header);
        HttpClient client = HttpClient.newBuilder()
                .connectTimeout(patience)
                .version(HttpClient.Version.HTTP_1_1)
                .build();
        Optional<String> refusal = backoff.run(() -> refusal(client, request.build()));
        if (refusal.isPresent()) {
            throw new BadInputException(refusal.get());
        }
    }

    /** The address without secrets, which are in headers. */
    @Override
    public String toString() {
        return address.toString();
    }

    /** What a server says that would say it again; empty if it took the event. */
    private Optional<String> refusal(HttpClient client, HttpRequest request) throws IOException {
        try {
            HttpResponse<AnswerBody> response = client.send(request, AnswerBody.within(patience));
            try (AnswerBody body = response.body()) {
                return refusal(response.statusCode(), body);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("Failed to send lineage: interrupted", e);
        } catch (IOException e) {
            throw new IOException("Failed to send lineage to %s: %s".formatted(this, reason(e)), e);
        }
    }

    private Optional<String> refusal(int code, AnswerBody body) throws IOException {
        if (code / 100 == 2) {
            return Optional.empty();
        }

        String text = body.text(ANSWER_BYTES, patience).strip();
        String message = String.format(
                Locale.ROOT,
                "Cannot send lineage: expected %s to take the event, found that it answers %d %s",
                this,
                code,
                text.substring(0, Math.min(LONGEST_ANSWER, text.length())));
        if (BusyServerException.isBusy(code)) {
            throw new IOException(message);
        }

        return Optional.of(message);
    }

    private static String reason(IOException e) {
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }
}
