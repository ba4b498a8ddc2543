package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.ChildJvm;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.command.demo.DemoModel;
import org.sparkqlora.options.Sessions;

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

        for (Run run : run("rows", "data", "data/*/*.jsonl", "data/d*")) {
            assertThat(run.code()).as(run.log()).isEqualTo(ExitCode.BAD_INPUT);
            assertThat(run.log())
                    .contains("Cannot read the name of " + data + "/b", "Set the environment variable LC_ALL");
        }

        assertThat(folder.resolve("rows")).doesNotExist();
    }

    @Test
    void aNameThatIsNotAskedForDoesNotMatter() throws Exception {
        Files.writeString(data.resolve("b.txt"), "text");
        shell("mv b.txt \"$(printf 'b\\303\\204.txt')\"");

        Run run = run("rows", "data/*/*.jsonl").get(0);

        assertThat(run.code()).as(run.log()).isEqualTo(ExitCode.OK);
    }

    @Test
    void anArgumentThatCannotBeReadIsRefusedBeforeWork() throws Exception {
        Run run = run("\u00c4", "data").get(0);

        assertThat(run.code()).as(run.log()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.log()).contains("Cannot use the path '", "Set the environment variable LC_ALL");
        assertThat(run("rows", "\u00c4").get(0).log())
                .contains("Cannot read the argument '", "Set the environment variable LC_ALL");
    }

    private record Run(ExitCode code, String log) {
        static Run parse(String text) {
            String[] parts = text.split("\n", 2);
            return new Run(ExitCode.valueOf(parts[0]), parts[1]);
        }
    }

    /** Of each source, in one process without a locale; a shell writes names that this one may not be able to write. */
    private List<Run> run(String output, String... sources) throws Exception {
        Path log = folder.resolve("log");
        Path script = folder.resolve("run.sh");
        Files.writeString(
                script,
                "export LC_ALL=C\ncd '%s'\nexec '%s' %s -cp '%s' '%s' '%s' '%s'\n"
                        .formatted(
                                folder,
                                ChildJvm.program(),
                                String.join(" ", ChildJvm.flags()),
                                System.getProperty("java.class.path"),
                                Preparations.class.getName(),
                                output,
                                String.join("' '", sources)),
                StandardCharsets.UTF_8);
        Process process = new ProcessBuilder("bash", script.toString())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        int code = process.waitFor();
        String text = Files.readString(log, StandardCharsets.ISO_8859_1);
        assertThat(code).as(text).isZero();
        return Stream.of(text.split("\0")).skip(1).map(Run::parse).toList();
    }

    /** Runs a command for each source, and prints its exit code and what it says to people. */
    static final class Preparations {
        private Preparations() {}

        public static void main(String[] arguments) {
            for (String source : List.of(arguments).subList(1, arguments.length)) {
                CommandRun run = CommandRun.of(
                        "prepare",
                        "--model",
                        "model",
                        "--data",
                        source,
                        "--output",
                        arguments[0],
                        "--format",
                        "tokens");
                System.out.println("\0" + run.code() + "\n" + run.err());
            }

            Sessions.stop();
        }
    }

    private void shell(String line) throws Exception {
        assertThat(new ProcessBuilder("bash", "-c", line)
                        .directory(data.toFile())
                        .start()
                        .waitFor())
                .isZero();
    }
}
