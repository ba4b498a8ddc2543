package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.spark.package$;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.command.demo.DemoFolder;
import org.sparkqlora.command.demo.DemoModel;
import org.sparkqlora.options.Sessions;

/** The Python package with a client that has no JVM, and a real server of Spark Connect. */
@Tag("connect")
class SparkConnectTest {
    private static final Path PYTHON = Path.of("src", "test", "python");

    @TempDir
    private Path folder;

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    @Test
    void clientsWithoutAJvmTrainThroughAServer() throws Exception {
        DemoFolder demo = new DemoFolder(folder.resolve("demo"), 42);
        demo.writeInputs();
        DemoModel.write(demo.base(), 42); // no test asks what it has learned
        train(folder.resolve("demo"), folder.resolve("trained"), 2); // as the fixture "estimator" in Python has it
        train(folder.resolve("demo"), folder.resolve("demo").resolve("tuned"), 12);
        Path temporary = Files.createDirectory(folder.resolve("temporary"));
        Path log = folder.resolve("server.log");
        try (ConnectServer server = ConnectServer.start(temporary, log)) {
            test(server);
        }

        assertThat(whatIsLeft(temporary)).isEmpty();
    }

    private static void train(Path demo, Path output, int steps) {
        CommandRun run = CommandRun.of(
                "train",
                "--model=" + demo.resolve("base").resolve("model"),
                "--data=" + demo.resolve("pirate.jsonl"),
                "--output=" + output,
                "--precision=fp32",
                "--sequence-length=64",
                "--batch-size=4",
                "--max-steps=" + steps,
                "--rank=4",
                "--learning-rate=1e-2",
                "--target-modules=q_proj,v_proj");
        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
    }

    private void test(ConnectServer server) throws IOException, InterruptedException {
        PythonEnvironment python = PythonEnvironment.open(
                PYTHON.resolve("connect-%s-requirements.txt".formatted(package$.MODULE$.SPARK_VERSION())));
        python.run(
                Map.of(
                        "PYTHONPATH",
                        Path.of("src", "main", "python").toAbsolutePath().toString(),
                        "PYTHONDONTWRITEBYTECODE",
                        "1",
                        "SPARK_REMOTE",
                        server.address(),
                        "SPARKQLORA_DEMO",
                        folder.resolve("demo").toString(),
                        "SPARKQLORA_TRAINED",
                        folder.resolve("trained").resolve("adapter").toString()),
                List.of(
                        python.program("python").toString(),
                        "-m",
                        "pytest",
                        "-q",
                        "-p",
                        "no:cacheprovider",
                        PYTHON.resolve("package").toString()));
    }

    /** Spark itself leaves the references of models that a killed client had. */
    private static List<Path> whatIsLeft(Path temporary) throws IOException {
        try (Stream<Path> files = Files.walk(temporary)) {
            return files.filter(Files::isRegularFile)
                    .filter(file -> !file.startsWith(temporary.resolve("spark_connect_model_cache")))
                    .toList();
        }
    }
}
