package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.ChildJvm;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;
import org.sparkqlora.spark.job.Clusters;

/**
 * The demo on YARN, in client mode: a resource manager and a node of it in this process, two executors in processes of their own.
 * {@link YarnScriptIT} runs the shipped script, in cluster mode.
 */
@Tag("platform")
class YarnIT {
    private static final Map<String, String> SETTINGS = new HashMap<>();

    @TempDir
    private static Path folder;

    private static YarnNode yarn;

    @BeforeAll
    static void startYarn() {
        yarn = YarnNode.start(folder, 1024 + 2 * 2048);
        tellSpark();
    }

    private static void tellSpark() {
        yarn.settings().forEach((key, value) -> SETTINGS.put("spark.hadoop." + key, value));
        String java = System.getProperty("java.home");
        SETTINGS.put("spark.master", "yarn");
        SETTINGS.put("spark.submit.deployMode", "client");
        SETTINGS.put("spark.driver.host", "127.0.0.1");
        SETTINGS.put(
                "spark.ui.enabled", "false"); // its filter for YARN wants a servlet API that is renamed in test jars
        SETTINGS.put("spark.yarn.stagingDir", folder.toUri().toString());
        SETTINGS.put("spark.yarn.jars", classPath());
        SETTINGS.put("spark.yarn.appMasterEnv.JAVA_HOME", java);
        SETTINGS.put("spark.executorEnv.JAVA_HOME", java);
        SETTINGS.put("spark.executor.instances", "2");
        SETTINGS.put("spark.executor.memory", "512m");
        SETTINGS.put("spark.executor.memoryOverhead", "1g");
        SETTINGS.put(
                "spark.executor.extraJavaOptions",
                String.join(" ", Clusters.javaFlags()) + " " + String.join(" ", ChildJvm.QUICK));
        SETTINGS.put("spark.kryo.registrationRequired", "true");
        SETTINGS.forEach(System::setProperty);
    }

    @AfterAll
    static void stopYarn() {
        Sessions.stop();
        SETTINGS.keySet().forEach(System::clearProperty);
        System.clearProperty(
                "spark.ui.proxyBase"); // set by Spark on YARN: links of later pages would lead to a proxy that is gone
        yarn.close();
    }

    @Test
    void theDemoRunsOnTwoExecutorsOfYarn() throws IOException {
        CommandRun run =
                CommandRun.of("demo", "--output", folder.resolve("demo").toString());

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(run.err()).contains("exchange collect:");
        assertThat(Sessions.context("test").sc().applicationId()).startsWith("application_");
        assertThat(Sessions.context("test").sc().getExecutorIds().size()).isEqualTo(2);
        JsonNode summary = new ObjectMapper().readTree(run.summary());
        assertThat(summary.path("answer_after").asText()).isEqualTo("Arr! I tell ye, the owl says hoot, matey!");
    }

    /** Every container finds Spark and us where this process does. */
    private static String classPath() {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
                .map(entry -> "local:" + entry)
                .collect(Collectors.joining(","));
    }
}
