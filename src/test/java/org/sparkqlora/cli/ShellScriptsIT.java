package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** ShellCheck on the scripts that are handed out, and on those that check this project. */
@Tag("platform")
class ShellScriptsIT {
    private static final Path REQUIREMENTS = Path.of("src", "test", "python", "shell-requirements.txt");

    private static PythonEnvironment python;

    @BeforeAll
    static void open() throws IOException, InterruptedException {
        python = PythonEnvironment.open(REQUIREMENTS);
    }

    @Test
    void itFindsNothingInOurs() throws IOException, InterruptedException {
        List<Path> scripts = new ArrayList<>(scripts(Path.of("deploy")));
        scripts.addAll(scripts(Path.of(".ci")));
        scripts.addAll(scripts(Path.of("src", "build")));

        assertThat(scripts)
                .contains(
                        Path.of("deploy", "spark-submit", "standalone.sh"),
                        Path.of("deploy", "databricks", "init.sh"),
                        Path.of(".ci", "run"),
                        Path.of("src", "build", "release"));
        check(scripts);
    }

    @Test
    void itFindsWhatIsWrong(@TempDir Path folder) throws IOException {
        Path script = Files.writeString(folder.resolve("wrong"), "#!/usr/bin/env bash\nrm $1\n");

        assertThat(scripts(folder)).containsExactly(script);
        assertThatThrownBy(() -> check(List.of(script))).hasMessageContaining("SC2086");
    }

    /** By their first line: not all have an ending. */
    private static List<Path> scripts(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile)
                    .filter(ShellScriptsIT::isScript)
                    .sorted()
                    .toList();
        }
    }

    private static boolean isScript(Path file) {
        try (Stream<String> lines = Files.lines(file)) {
            String first = lines.findFirst().orElse("");
            return first.equals("#!/usr/bin/env bash") || first.equals("# shellcheck shell=bash");
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + file, e);
        }
    }

    /** Follows what a script sources, from its own folder. */
    private static void check(List<Path> scripts) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of(python.program("shellcheck").toString(), "--external-sources", "--source-path=SCRIPTDIR"));
        scripts.forEach(script -> command.add(script.toString()));
        python.run(Map.of(), command);
    }
}
