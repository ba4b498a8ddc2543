package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.ChildJvm;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;

/**
 * The shipped script, settings and jar on YARN and HDFS, whose servers are in this process: the driver in YARN, then on this host.
 * Spark authenticates and encrypts what it sends and what it puts on disks, and HDFS encrypts what it sends.
 */
@Tag("platform")
class YarnScriptIT {
    private static final String EXECUTORS = "2";

    @TempDir
    private static Path folder;

    private static MiniDFSCluster hdfs;
    private static YarnNode yarn;
    private static Path spark;

    @BeforeAll
    static void startServers() throws IOException, InterruptedException {
        spark = SparkDistribution.home();
        Configuration configuration = new Configuration();
        configuration.set(
                MiniDFSCluster.HDFS_MINIDFS_BASEDIR, folder.resolve("hdfs").toString());
        configuration.setBoolean("dfs.block.access.token.enable", true);
        configuration.setBoolean("dfs.encrypt.data.transfer", true);
        hdfs = new MiniDFSCluster.Builder(configuration).numDataNodes(1).build();
        hdfs.waitActive();
        yarn = YarnNode.start(folder, 3 * 2048);
        tellClients();
    }

    /** The configuration folder that an administrator hands out. */
    private static void tellClients() throws IOException {
        Files.createDirectories(folder.resolve("hadoop-conf"));
        write("core-site.xml", Map.of("fs.defaultFS", hdfs.getURI().toString()));
        write("hdfs-site.xml", Map.of("dfs.encrypt.data.transfer", "true"));
        write("yarn-site.xml", yarn.settings());
        String java = System.getProperty("java.home");
        List<String> settings = new ArrayList<>(List.of(
                "spark.yarn.jars local:%s/jars/*".formatted(spark),
                "spark.yarn.appMasterEnv.JAVA_HOME " + java,
                "spark.executorEnv.JAVA_HOME " + java,
                "spark.yarn.appMasterEnv.JDK_JAVA_OPTIONS " + String.join(" ", ChildJvm.QUICK),
                "spark.executorEnv.JDK_JAVA_OPTIONS " + String.join(" ", ChildJvm.QUICK),
                "spark.driver.memory 1g",
                "spark.driver.memoryOverhead 768m",
                "spark.executor.memory 512m",
                "spark.executor.memoryOverhead 1g",
                "spark.executor.cores 1",
                "spark.task.cpus 1",
                "spark.executor.instances " + EXECUTORS,
                "spark.eventLog.enabled true",
                "spark.eventLog.compress false", // both are otherwise from Spark 4 on
                "spark.eventLog.rolling.enabled false",
                "spark.eventLog.dir "
                        + Files.createDirectory(folder.resolve("events")).toUri()));
        OpenBlasSettings.ofProcess().forEach((name, value) -> {
            settings.add("spark.yarn.appMasterEnv.%s %s".formatted(name, value));
            settings.add("spark.executorEnv.%s %s".formatted(name, value));
        });
        Files.write(folder.resolve("own.conf"), settings);
    }

    private static void write(String name, Map<String, String> settings) throws IOException {
        Configuration file = new Configuration(false);
        settings.forEach(file::set);
        try (OutputStream out =
                Files.newOutputStream(folder.resolve("hadoop-conf").resolve(name))) {
            file.writeXml(out);
        }
    }

    @AfterAll
    static void stopServers() {
        Sessions.stop();
        yarn.close();
        hdfs.shutdown();
    }

    @Test
    void aRunWithItsDriverInYarnEqualsALocalOneAndItsAdapterIsReadFromHere() throws IOException, InterruptedException {
        TrainRuns runs = TrainRuns.in(folder);
        String local = folder.resolve("local").toString();
        assertThat(runs.train(local, "--max-steps", "3").code()).isEqualTo(ExitCode.OK);
        String output = hdfs.getURI() + "/runs/output";

        SubmitScript run = submit("cluster", runs.command(output, "--max-steps", "3"));

        assertThat(run.code()).as(run.output() + logs()).isZero();
        StoredRun.read(output).assertEquals(StoredRun.read(local));
        EventLog events = EventLog.in(folder.resolve("events"));
        assertThat(events.of("SparkListenerExecutorAdded")).hasSize(Integer.parseInt(EXECUTORS));
        assertThat(events.setting("spark.submit.deployMode")).isEqualTo("cluster");
        assertThat(events.setting("spark.authenticate")).isEqualTo("true");
        assertThat(events.setting("spark.network.crypto.enabled")).isEqualTo("true");
        assertThat(events.setting("spark.io.encryption.enabled")).isEqualTo("true");

        SubmitScript evaluation = submit(
                "client",
                List.of(
                        "evaluate",
                        "--adapter",
                        output + "/adapter",
                        "--model",
                        runs.model(),
                        "--data",
                        runs.data().toUri().toString(),
                        "--model-cache",
                        runs.cache().toString()));
        assertThat(evaluation.code()).as(evaluation.output() + logs()).isZero();
        assertThat(evaluation.output()).contains("\"command\":\"evaluate\"");
    }

    private static SubmitScript submit(String mode, List<String> line) throws IOException, InterruptedException {
        Map<String, String> environment = SubmitScript.environment(spark, folder.resolve("own.conf"));
        environment.put("HADOOP_CONF_DIR", folder.resolve("hadoop-conf").toString());
        environment.put("QLORA_DEPLOY_MODE", mode);
        return SubmitScript.run(folder, "yarn.sh", environment, line);
    }

    /** The logs of the containers. */
    private static String logs() throws IOException {
        StringBuilder text = new StringBuilder();
        try (Stream<Path> files = Files.walk(folder.resolve("logs"))) {
            for (Path file : files.filter(path -> path.endsWith("stderr")).toList()) {
                text.append('\n').append(file).append('\n').append(Files.readString(file));
            }
        }

        return text.toString();
    }
}
