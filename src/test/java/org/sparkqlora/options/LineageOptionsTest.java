package org.sparkqlora.options;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.options.LineageOptions.Lineage;
import org.sparkqlora.spark.lineage.FileLineage;
import org.sparkqlora.spark.lineage.HttpLineage;
import org.sparkqlora.spark.lineage.LineageFacts.LineageParent;
import org.sparkqlora.spark.lineage.LineageName;

class LineageOptionsTest {
    private static final String RUN = "3f5e83fa-3480-44ff-99c5-ff943904e5e8";
    private static final String ROOT = "7a3c83fa-3480-44ff-99c5-ff943904e5e8";

    @TempDir
    private Path folder;

    @Test
    void anAddressTakesTheKeyOfTheEnvironmentButNotThatOfAFile() throws IOException {
        Path file = Files.writeString(folder.resolve("lineage.yml"), """
                transport:
                  type: http
                  url: https://theirs
                  auth:
                    type: api_key
                    apiKey: theirs
                """);

        HttpLineage own = http(open("http://own:5000", Map.of("OPENLINEAGE_API_KEY", "mine"), Map.of()));
        HttpLineage other = http(open("http://own:5000", Map.of("OPENLINEAGE_CONFIG", file.toString()), Map.of()));
        HttpLineage theirs = http(open("", Map.of("OPENLINEAGE_CONFIG", file.toString()), Map.of()));

        assertThat(own.address()).isEqualTo(URI.create("http://own:5000/api/v1/lineage"));
        assertThat(own.headers()).containsExactly(Map.entry("Authorization", "Bearer mine"));
        assertThat(other.headers()).isEmpty();
        assertThat(theirs.address()).isEqualTo(URI.create("https://theirs/api/v1/lineage"));
        assertThat(theirs.headers()).containsExactly(Map.entry("Authorization", "Bearer theirs"));
    }

    @Test
    void settingsOfSparkComeBeforeTheFileAndThatBeforeTheEnvironment() throws IOException {
        Path file =
                Files.writeString(folder.resolve("lineage.yml"), "transport:\n  url: http://file\nnamespace: file\n");
        Map<String, String> environment = Map.of(
                "OPENLINEAGE_CONFIG", file.toString(),
                "OPENLINEAGE_URL", "http://environment",
                "OPENLINEAGE_NAMESPACE", "environment",
                "OPENLINEAGE__TRANSPORT__TIMEOUT_IN_MILLIS", "70");

        Lineage both = open("", environment, Map.of("transport.url", "http://spark/api/lineage", "appName", "owls"));

        assertThat(http(both).address()).isEqualTo(URI.create("http://spark/api/lineage"));
        assertThat(http(both).patience()).hasMillis(70);
        assertThat(both.job()).isEqualTo(new LineageName("file", "owls"));
        assertThat(http(open("", environment, Map.of())).address()).isEqualTo(URI.create("http://file/api/v1/lineage"));
    }

    @Test
    void aFileTakesEventsToo() {
        Lineage given = open(folder.resolve("a.jsonl").toString(), Map.of(), Map.of());
        Lineage set = open("", Map.of(), Map.of("transport.type", "file", "transport.location", "/b.jsonl"));

        assertThat(given.sink()).isEqualTo(new FileLineage(folder.resolve("a.jsonl")));
        assertThat(given.job()).isEqualTo(new LineageName("default", "owls.train"));
        assertThat(set.sink()).isEqualTo(new FileLineage(Path.of("/b.jsonl")));
    }

    @Test
    void theParentIsThatOfAirflowOrOfTheEnvironment() {
        Lineage airflow = open(
                "http://own",
                Map.of(),
                Map.of(
                        "parentRunId", RUN,
                        "parentJobNamespace", "airflow",
                        "parentJobName", "lake.train",
                        "rootParentRunId", ROOT,
                        "rootParentJobNamespace", "airflow",
                        "rootParentJobName", "lake"));
        Lineage environment = open("http://own", Map.of("OPENLINEAGE_PARENT_ID", "ns/a/b/" + RUN), Map.of());

        LineageParent root = new LineageParent(UUID.fromString(ROOT), new LineageName("airflow", "lake"), null);
        assertThat(airflow.parent())
                .isEqualTo(new LineageParent(UUID.fromString(RUN), new LineageName("airflow", "lake.train"), root));
        assertThat(environment.parent())
                .isEqualTo(new LineageParent(UUID.fromString(RUN), new LineageName("ns", "a/b"), null));
        assertThat(open("http://own", Map.of(), Map.of()).parent()).isNull();
    }

    @Test
    void whatCannotBeUsedIsRefused() {
        assertThatThrownBy(() -> open("", Map.of(), Map.of()))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "Cannot send lineage: expected an address in OPENLINEAGE_URL, openlineage.yml or spark.openlineage.transport.url, found none. Or give a place: --lineage=http://host:5000, --lineage=FILE");
        assertThatThrownBy(() -> open("", Map.of(), Map.of("transport.type", "kafka")))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("expected a transport of type http or file, found kafka");
        assertThatThrownBy(() -> open("s3a://bucket/a", Map.of(), Map.of()))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("or a file on this host, found s3a://bucket/a");
        assertThatThrownBy(() -> open("http://me:secret@own", Map.of(), Map.of()))
                .isInstanceOf(BadInputException.class)
                .hasMessageNotContaining("secret");
        assertThatThrownBy(() -> open("http://own", Map.of("OPENLINEAGE_PARENT_ID", "a/b/c"), Map.of()))
                .isInstanceOf(BadInputException.class)
                .hasMessage("Cannot send lineage: expected the run in OPENLINEAGE_PARENT_ID to be a UUID, found c");
        assertThatThrownBy(() -> open("http://own", Map.of(), Map.of("parentRunId", "c")))
                .isInstanceOf(BadInputException.class)
                .hasMessage(
                        "Cannot send lineage: expected the run in spark.openlineage.parentRunId to be a UUID, found c");
        assertThatThrownBy(() ->
                        open("", Map.of("OPENLINEAGE_URL", "http://own"), Map.of("transport.timeoutInMillis", "soon")))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("transport.timeoutInMillis to be a number of milliseconds, found soon");
    }

    private static Lineage open(String target, Map<String, String> environment, Map<String, String> spark) {
        return LineageOptions.open(target, environment, spark, "owls.train");
    }

    private static HttpLineage http(Lineage lineage) {
        return (HttpLineage) lineage.sink();
    }
}
