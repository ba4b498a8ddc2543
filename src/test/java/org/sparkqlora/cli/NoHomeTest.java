package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.command.demo.DemoModel;

/** An account without a home, as containers have: Java calls its home {@code ?}, or names a folder that nobody can make. */
class NoHomeTest {
    @TempDir
    private Path folder;

    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"?", "/proc/none"})
    void dataIsPreparedAllTheSame(String home) throws IOException, InterruptedException {
        Path model = folder.resolve("model");
        DemoModel.write(model, 1);
        Path data = Files.writeString(folder.resolve("data.jsonl"), "{\"text\": \"a\"}\n");
        Path temporary = Files.createDirectory(folder.resolve("temporary"));
        Path log = folder.resolve("log");

        DriverProcess driver = DriverProcess.start(
                log,
                List.of("-Duser.home=" + home, "-Djava.io.tmpdir=" + temporary),
                List.of(
                        "prepare",
                        "--model",
                        model.toString(),
                        "--data",
                        data.toString(),
                        "--output",
                        folder.resolve("rows").toString()));

        assertThat(driver.process().waitFor()).as(Files.readString(log)).isZero();
        assertThat(Files.readString(log)).contains("\"examples\":1,\"rows\":1").doesNotContain("\tat ");
        assertThat(Path.of("?")).doesNotExist();
    }
}
