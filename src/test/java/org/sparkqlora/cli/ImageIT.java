package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;

/**
 * The steps of {@code deploy/kubernetes/Dockerfile}, with {@code -Pspark4} of {@code Dockerfile.spark4}, taken in a folder and entered with
 * chroot, for want of a container engine. Its base image cannot be had without one either: a small Debian with Java 17 and a distribution
 * of Spark stand for it.
 */
@Tag("platform")
@EnabledIf(
        value = "org.sparkqlora.cli.BuiltImage#mayBeMade",
        disabledReason = "no root on Debian or Ubuntu that may chroot: the Dockerfile's steps are not taken")
class ImageIT {
    private static final String SETTINGS = "/opt/spark-qlora/spark-conf/kubernetes.conf";

    /** Of the line of Spark that the build is for. */
    private static final boolean SPARK4 = PythonPackage.isForSpark4();

    private static final String DOCKERFILE = SPARK4 ? "Dockerfile.spark4" : "Dockerfile";
    private static final String BASE = SPARK4 ? "4\\.0\\.\\d+-scala2\\.13" : "3\\.5\\.\\d+-scala2\\.12";
    private static final String JAR = "local:///opt/spark-qlora/spark-qlora.jar";

    @TempDir
    private static Path folder;

    private static BuiltImage image;

    @BeforeAll
    static void build() throws IOException, InterruptedException {
        image = BuiltImage.of(Path.of("deploy", "kubernetes", DOCKERFILE), folder.resolve("root"));
    }

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    /** The base image that stands for it has this line of Spark and this Java. */
    @Test
    void itsBaseIsWhatStandsForItHere() {
        assertThat(image.base()).matches("apache/spark:" + BASE + "-java17-ubuntu");
    }

    @Test
    void aRunInItMayReadItsProgramAndChangeNothing() throws IOException, InterruptedException {
        BuiltImage.Run run = image.run("""
                id --user
                find /opt/spark-qlora ! -user root -o ! -group root -o ! -readable -o -writable
                touch /opt/spark-qlora/spark-qlora.jar || echo refused
                echo "$NVIDIA_VISIBLE_DEVICES $NVIDIA_DRIVER_CAPABILITIES"
                """);

        assertThat(run.output().lines().filter(line -> !line.startsWith("touch: ")))
                .containsExactly("185", "refused", "all compute,utility");
        assertThat(run.code()).isZero();
    }

    @Test
    void theDriverOfAPodTrainsTheSameAdapterAsHere() throws IOException, InterruptedException {
        Path root = folder.resolve("root");
        TrainRuns here = TrainRuns.in(Files.createDirectories(root.resolve("runs")));
        // as --shards, of which the default is the cluster's: tasks have one thread here and four in a pod
        String[] options = {"--max-steps", "3", "--micro-batch-size", "1"};
        assertThat(here.train(folder.resolve("output").toString(), options).code())
                .isEqualTo(ExitCode.OK);
        TrainRuns inside = new TrainRuns(Path.of("/tmp"), "/runs/model", "/runs/data.jsonl", Path.of("/tmp/cache"));

        BuiltImage.Run run = image.run(submit(String.join(" ", inside.command("/tmp/output", options))));

        assertThat(run.code()).as(run.output()).isZero();
        StoredRun.read(root.resolve("tmp/output").toString())
                .assertEquals(StoredRun.read(folder.resolve("output").toString()));
    }

    @Test
    void itsExitCodeTellsBadInput() throws IOException, InterruptedException {
        BuiltImage.Run run = image.run(submit("plan --model /none"));

        assertThat(run.code()).as(run.output()).isEqualTo(ExitCode.BAD_INPUT.code());
        assertThat(run.output()).contains("/none");
    }

    /** The settings' tasks take four. */
    @Test
    void aMasterWithTooFewCoresIsBadInputToo() throws IOException, InterruptedException {
        BuiltImage.Run run = image.run(submit("demo --output /tmp/demo").replace("local[4]", "local[2]"));

        assertThat(run.code()).as(run.output()).isEqualTo(ExitCode.BAD_INPUT.code());
        assertThat(run.output()).contains("Cannot run a task: expected a master with at least spark.task.cpus cores");
    }

    /** The command that the entry point of Apache's image makes of {@code driver}, with as many cores as a task takes there. */
    private static String submit(String command) {
        return "exec tini -s -- /opt/spark/bin/spark-submit --conf spark.driver.bindAddress=127.0.0.1 --deploy-mode client"
                + " --master 'local[4]' --properties-file %s --class org.sparkqlora.cli.Main %s %s"
                        .formatted(SETTINGS, JAR, command);
    }
}
