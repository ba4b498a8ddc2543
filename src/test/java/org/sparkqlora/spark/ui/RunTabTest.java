package org.sparkqlora.spark.ui;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.deploy.history.FsHistoryProvider;
import org.apache.spark.deploy.history.HistoryServer;
import org.apache.spark.deploy.history.HistoryServer$;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.spark.watch.RunFacts;
import org.sparkqlora.spark.watch.RunWatch;

/** The tab as Spark's own servlets serve it. What a browser makes of it: {@code RunPagesIT}. */
@Tag("spark-line")
class RunTabTest {
    private static final long LONGEST_MILLIS = 10_000;

    @Test
    void anApplicationServesItWhileItRunsAndTheHistoryServerAfterwards(@TempDir Path folder)
            throws IOException, InterruptedException, TimeoutException {
        SparkConf conf = Clusters.configuration(Clusters.TWO_SLOTS)
                .set("spark.ui.enabled", "true")
                .set("spark.ui.port", "0")
                .set("spark.eventLog.enabled", "true")
                .set("spark.eventLog.dir", folder.toUri().toString());
        String application;
        try (JavaSparkContext context = new JavaSparkContext(conf)) {
            application = context.sc().applicationId();
            String address = context.sc().uiWebUrl().get() + "/qlora/";
            watch(context, "first", 1_000);
            watch(context, "second", 2_000); // the newest comes first, by the millisecond
            context.sc().listenerBus().waitUntilEmpty(LONGEST_MILLIS);

            assertThat(read(address))
                    .contains("- QLoRA</title>", "<h1>second</h1>", "step 0 of 40")
                    .containsOnlyOnce("href=\"/qlora/\""); // both runs are in one tab
        }

        assertThat(readHistory(folder, application)).contains("- QLoRA</title>", "<h1>second</h1>");
    }

    private static void watch(JavaSparkContext context, String name, long millis) {
        RunFacts facts = new RunFacts(name, Map.of("method", "qlora"), 0);
        new RunWatch(facts, step -> List.of(), RunPages.of(context), () -> millis).started(0, 40);
    }

    private static String readHistory(Path events, String application) throws IOException, InterruptedException {
        SparkConf conf = new SparkConf(false)
                .set("spark.history.fs.logDirectory", events.toUri().toString());
        FsHistoryProvider provider = new FsHistoryProvider(conf);
        HistoryServer server = new HistoryServer(conf, provider, HistoryServer$.MODULE$.createSecurityManager(conf), 0);
        server.initialize();
        server.bind();
        try {
            provider.checkForLogs();
            return read("http://127.0.0.1:%d/history/%s/qlora/".formatted(server.boundPort(), application));
        } finally {
            server.stop();
        }
    }

    private static String read(String address) throws IOException, InterruptedException {
        HttpClient client = HttpClient.newBuilder()
                .followRedirects(HttpClient.Redirect.NORMAL)
                .build();
        HttpResponse<String> response =
                client.send(HttpRequest.newBuilder(URI.create(address)).build(), HttpResponse.BodyHandlers.ofString());
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return response.body();
    }
}
