package org.sparkqlora.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.StalledServer;

@Timeout(60)
class AnswerBodyTest {
    private static final Duration MOMENT = Duration.ofMillis(300);
    private static final Duration LONG = Duration.ofMinutes(5);

    private final HttpClient client = HttpClient.newHttpClient();

    @ParameterizedTest(name = "{0} bytes")
    @ValueSource(ints = {0, 1, 16_384, 3_000_000})
    void givesTheBytesThatCame(int length) throws Exception {
        byte[] bytes = new byte[length];
        new SplittableRandom(length).nextBytes(bytes);
        HttpServer server = serving(out -> out.write(bytes), length == 0 ? -1 : length);

        try (AnswerBody body = body(address(server), MOMENT)) {
            assertThat(body.readAllBytes()).isEqualTo(bytes);
            assertThat(body.read()).isEqualTo(-1);
        } finally {
            server.stop(0);
        }
    }

    @Test
    void aServerThatStopsInTheMiddleIsWaitedForSoLong() throws Exception {
        try (StalledServer server = StalledServer.afterHalfOf("0123456789");
                AnswerBody body = body(server.address(), MOMENT)) {
            assertThat(body.readNBytes(5)).asString().isEqualTo("01234");
            assertThatThrownBy(body::read)
                    .isInstanceOf(HttpTimeoutException.class)
                    .hasMessage("the answer stopped: no byte came for 0.3 s");
        }
    }

    /** One that lets a byte fall now and then is never silent for long. */
    @Test
    void aSmallAnswerMayTakeSoLongAsAWhole() throws Exception {
        HttpServer server = serving(
                out -> {
                    while (true) {
                        out.write('.');
                        out.flush();
                        pause();
                    }
                },
                0);

        try (AnswerBody body = body(address(server), LONG)) {
            assertThatThrownBy(() -> body.text(1000, Duration.ofSeconds(1)))
                    .isInstanceOf(HttpTimeoutException.class)
                    .hasMessageStartingWith("the answer stopped: no byte came for 0.");
        } finally {
            server.stop(0);
        }
    }

    @Test
    void aSmallAnswerMayBeSoLarge() throws Exception {
        HttpServer server = serving(
                out -> {
                    while (true) {
                        out.write(new byte[1 << 16]);
                    }
                },
                0);

        try (AnswerBody body = body(address(server), LONG)) {
            assertThatThrownBy(() -> body.text(100_000, LONG))
                    .isInstanceOf(IOException.class)
                    .hasMessage("expected an answer of at most 100000 bytes, found more");
        } finally {
            server.stop(0);
        }
    }

    @Test
    void aConnectionThatBreaksIsNoEnd() throws Exception {
        HttpServer server = serving(out -> out.write(new byte[10]), 20);

        try (AnswerBody body = body(address(server), LONG)) {
            assertThatThrownBy(body::readAllBytes)
                    .isInstanceOf(IOException.class)
                    .hasMessageStartingWith("the connection broke: ");
        } finally {
            server.stop(0);
        }
    }

    private AnswerBody body(String address, Duration silence) throws Exception {
        return client.send(HttpRequest.newBuilder(URI.create(address)).build(), AnswerBody.within(silence))
                .body();
    }

    private interface Content {
        void write(OutputStream out) throws IOException;
    }

    private static HttpServer serving(Content content, long length) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, length);
            content.write(exchange.getResponseBody());
            exchange.close();
        });
        server.start();
        return server;
    }

    private static String address(HttpServer server) {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    private static void pause() {
        try {
            Thread.sleep(50);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
