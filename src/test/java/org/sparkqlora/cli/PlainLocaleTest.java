package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.ChildJvm;
import org.sparkqlora.cli.command.ExitCode;
import org.sparkqlora.cli.demo.DemoModel;

/** Containers often have no locale: Java then has no names outside ASCII, and leaves such files out of listings. */
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class PlainLocaleTest {
    private static final String RECORD = "{\"input_ids\": [1, 2], \"labels\": [1, 2]}\n";

    @TempDir
    private Path folder;

    private Path data;

    @BeforeEach
    void write() throws IOException {
        DemoModel.write(folder.resolve("model"), 1);
        data = Files.createDirectories(folder.resolve("data/day"));
        Files.writeString(data.resolve("a.jsonl"), RECORD);
    }

    @Test
    void dataWithANameThatCannotBeReadIsRefusedBeforeWork() throws Exception {
        Files.writeString(data.resolve("b.jsonl"), RECORD);
        shell("mv b.jsonl \"$(printf 'b\\303\\204.jsonl')\"");

        for (String source : List.of("data", "data/*/*.jsonl", "data/d*")) {
            assertRefused(source, "Cannot read the name of " + data + "/b", "Set the environment variable LC_ALL");
        }
    }

    @Test
    void aNameThatIsNotAskedForDoesNotMatter() throws Exception {
        Files.writeString(data.resolve("b.txt"), "text");
        shell("mv b.txt \"$(printf 'b\\303\\204.txt')\"");

        Run run = run("data/*/*.jsonl", "rows");

        assertThat(run.code()).as(run.log()).isZero();
    }

    @Test
    void anArgumentThatCannotBeReadIsRefusedBeforeWork() throws Exception {
        Run run = run("data", "\u00c4");

        assertThat(run.code()).as(run.log()).isEqualTo(ExitCode.BAD_INPUT.code());
        assertThat(run.log()).contains("Cannot read the argument '", "Set the environment variable LC_ALL");
    }

    private void assertRefused(String source, String... words) throws Exception {
        Run run = run(source, "rows");

        assertThat(run.code()).as(run.log()).isEqualTo(ExitCode.BAD_INPUT.code());
        assertThat(run.log()).contains(words);
        assertThat(folder.resolve("rows")).doesNotExist();
    }

    private record Run(int code, String log) {}

    /** In a process without a locale; a shell writes names that this one may not be able to write. */
    private Run run(String source, String output) throws Exception {
        Path log = folder.resolve("log");
        Path script = folder.resolve("run.sh");
        Files.writeString(
                script,
                "export LC_ALL=C\ncd '%s'\nexec '%s/bin/java' %s -cp '%s' %s prepare --model model --data '%s' --output '%s' --format tokens\n"
                        .formatted(
                                folder,
                                System.getProperty("java.home"),
                                String.join(" ", ChildJvm.flags()),
                                System.getProperty("java.class.path"),
                                Main.class.getName(),
                                source,
                                output),
                StandardCharsets.UTF_8);
        Process process = new ProcessBuilder("bash", script.toString())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        return new Run(process.waitFor(), Files.readString(log, StandardCharsets.ISO_8859_1));
    }

    private void shell(String line) throws Exception {
        assertThat(new ProcessBuilder("bash", "-c", line)
                        .directory(data.toFile())
                        .start()
                        .waitFor())
                .isZero();
    }
}
