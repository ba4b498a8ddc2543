package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;
import org.sparkqlora.spark.cluster.CurrentSession;

/** A store of S3's kind that sends half of an object and then nothing more. */
class StalledStoreTest {
    private static final int LENGTH = 1000;

    private final Map<String, String> settings = new HashMap<>();
    private HttpServer server;

    @BeforeEach
    void serve() throws IOException {
        Sessions.stop();
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", StalledStoreTest::answer);
        server.start();
        set("fs.s3a.endpoint", "http://127.0.0.1:" + server.getAddress().getPort());
        set("fs.s3a.endpoint.region", "us-east-1");
        set("fs.s3a.path.style.access", "true");
        set("fs.s3a.access.key", "a");
        set("fs.s3a.secret.key", "b");
        set("fs.s3a.aws.credentials.provider", "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider");
    }

    @AfterEach
    void stop() {
        server.stop(0);
        settings.keySet().forEach(System::clearProperty);
    }

    @Test
    @Timeout(600)
    void endsResumableInBoundedTime() {
        set("fs.s3a.connection.timeout", "300");
        set("fs.s3a.attempts.maximum", "1");
        set("fs.s3a.retry.limit", "1");
        set("fs.s3a.retry.interval", "10ms");

        CommandRun run = CommandRun.of("gate", "--evaluation", "s3a://bucket/result.json", "--max-loss", "1");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.RESUMABLE);
        assertThat(run.err()).contains("Failed to read s3a://bucket/result.json", "timed out");
    }

    @Test
    void waitsAMinuteWhereNobodyHasSetATime() {
        Configuration usual = CurrentSession.hadoop();
        assertThat(usual.get("fs.s3a.connection.timeout")).isEqualTo("60000");
        assertThat(usual.get("fs.s3a.attempts.maximum")).isEqualTo("4");

        set("fs.s3a.connection.timeout", "999");
        Configuration set = CurrentSession.hadoop();
        assertThat(set.get("fs.s3a.connection.timeout")).isEqualTo("999");
        assertThat(set.get("fs.s3a.attempts.maximum")).isEqualTo("4");
    }

    private void set(String key, String value) {
        settings.put("spark.hadoop." + key, value);
        System.setProperty("spark.hadoop." + key, value);
    }

    private static void answer(HttpExchange exchange) throws IOException {
        exchange.getResponseHeaders().add("Last-Modified", "Fri, 27 Nov 2026 04:00:00 GMT");
        exchange.getResponseHeaders().add("ETag", "\"0123456789abcdef0123456789abcdef\"");
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.getResponseHeaders().add("Content-Length", "" + LENGTH);
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
            return;
        }

        if (!exchange.getRequestHeaders().getFirst("Range").startsWith("bytes=0-")) {
            return; // nor does it give the rest to one that asks again
        }

        exchange.sendResponseHeaders(206, LENGTH);
        exchange.getResponseBody().write(new byte[LENGTH / 2]);
        exchange.getResponseBody().flush();
    }
}
