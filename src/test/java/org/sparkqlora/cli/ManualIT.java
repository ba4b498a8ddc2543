package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;

/** The manual builds without a warning, its links hold, and its commands run from top to bottom of each page, after the demo. */
@Tag("platform")
class ManualIT {
    private static final Path DOCS = Path.of("src", "docs");
    private static final Path README = Path.of("README.md");
    private static final Pattern SHELL = Pattern.compile("^```bash\n(.*?)^```$", Pattern.DOTALL | Pattern.MULTILINE);
    private static final Pattern PYTHON = Pattern.compile("^```python\n(.*?)^```$", Pattern.DOTALL | Pattern.MULTILINE);
    private static final Pattern LINK = Pattern.compile("]\\(([^):#]+)(?:#[^)]*)?\\)");

    /** The build has happened, and its demo is the one below. */
    private static final String BUILT = "mvn() { [ \"$*\" = '-B -Pdemo package' ]; }\n";

    @TempDir
    private static Path work;

    private static PythonPackage installed;
    private static SubmitServer server;

    @BeforeAll
    static void playTheDemo() throws IOException, InterruptedException {
        installed = PythonPackage.install(work.resolve("site"));
        Path target = Files.createDirectories(work.resolve("target"));
        Files.createSymbolicLink(target.resolve("spark-qlora.jar"), PythonPackage.jar());
        Files.createSymbolicLink(
                work.resolve("spark-conf"), Path.of("spark-conf").toAbsolutePath());
        CommandRun demo =
                CommandRun.of("demo", "--output", target.resolve("demo").toString());
        assertThat(demo.code()).as(demo.err()).isEqualTo(ExitCode.OK);
        server = SubmitServer.start(work);
    }

    @AfterAll
    static void stopSpark() {
        server.close();
        Sessions.stop();
    }

    @Test
    void itBuildsWithoutAWarning() throws IOException, InterruptedException {
        PythonEnvironment python = PythonEnvironment.open(Path.of("src", "test", "python", "docs-requirements.txt"));

        python.run(
                Map.of(),
                List.of(
                        python.program("python").toString(),
                        "-m",
                        "sphinx",
                        "-W",
                        "-n",
                        "-q",
                        DOCS.toString(),
                        Path.of("target", "docs").toString()));
    }

    @ParameterizedTest
    @MethodSource("pages")
    void itsLinksLeadSomewhere(Path page) {
        assertThat(found(LINK, text(page)))
                .allSatisfy(link ->
                        assertThat(page.toAbsolutePath().resolveSibling(link)).exists());
    }

    @ParameterizedTest
    @MethodSource("pagesWithCommands")
    void itsCommandsRun(Path page) throws IOException, InterruptedException {
        String script = "set -euo pipefail\n" + BUILT + commands(page);
        Map<String, String> environment = environment();
        if (!page.equals(README)) { // whose commands start Java as a user's do
            environment.put("SPARK_HOME", server.home().toString());
        }

        installed.python().run(environment, shell(script));
    }

    @ParameterizedTest
    @MethodSource("pagesWithPython")
    void itsPythonRuns(Path page) throws IOException, InterruptedException {
        Path script = Files.writeString(work.resolve("page.py"), String.join("\n", found(PYTHON, text(page))));

        installed.python().run(environment(), shell("python " + script));
    }

    static Stream<Path> pages() throws IOException {
        try (Stream<Path> files = Files.list(DOCS)) {
            List<Path> pages = files.filter(file -> file.toString().endsWith(".md"))
                    .sorted()
                    .toList();
            return Stream.concat(Stream.of(README), pages.stream());
        }
    }

    static Stream<Path> pagesWithCommands() throws IOException {
        return pages().filter(page -> !commands(page).isEmpty());
    }

    static Stream<Path> pagesWithPython() throws IOException {
        return pages().filter(page -> PYTHON.matcher(text(page)).find());
    }

    private static String commands(Path page) {
        return String.join("\n", found(SHELL, text(page)));
    }

    private static List<String> found(Pattern pattern, String text) {
        return pattern.matcher(text).results().map(result -> result.group(1)).toList();
    }

    private static String text(Path page) {
        try {
            return Files.readString(page);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** In a folder that has what a checkout has after the first command. */
    private static List<String> shell(String script) {
        return List.of("bash", "-c", "cd '%s'\n%s".formatted(work, script));
    }

    private static Map<String, String> environment() throws IOException, InterruptedException {
        Path programs = installed.python().program(".").normalize();
        Map<String, String> environment = new HashMap<>(ClassArchive.variables());
        environment.put(
                "PATH",
                String.join(
                        File.pathSeparator,
                        installed.site().resolve("bin").toString(),
                        programs.toString(),
                        System.getenv("PATH")));
        environment.put("PYTHONPATH", installed.site().toString());
        environment.put("SPARK_LOCAL_DIRS", work.resolve("scratch").toString());
        return environment;
    }
}
