package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What would go to Maven Central and PyPI, of the jar and the wheels that this build made: all but Javadoc, which takes half a minute. */
@Tag("platform")
class ReleaseIT {
    private static final Path REQUIREMENTS = Path.of("src", "test", "python", "release-requirements.txt");
    private static final String URL = "https://example.invalid/spark-qlora";
    private static final int REFUSED = 64;

    @TempDir
    private Path folder;

    private Path keys;

    @BeforeEach
    void makeFolderOfKeys() throws IOException {
        keys = Files.createDirectory(folder.resolve("keys"));
        Files.setPosixFilePermissions(keys, PosixFilePermissions.fromString("rwx------"));
    }

    @AfterEach
    void endAgent() throws IOException, InterruptedException {
        run("gpgconf", "--kill", "gpg-agent");
    }

    @Test
    void theDryRunFindsNothingMissing() throws IOException, InterruptedException {
        Run key = run("gpg", "--batch", "--passphrase", "", "--quick-gen-key", "test@example.invalid");
        assertThat(key.code()).as(key.output()).isZero();

        Run run = run("src/build/release", "--dry-run", "-Dproject.url=" + URL);

        assertThat(run.code()).as(run.output()).isZero();
        assertThat(run.output())
                .contains("PASSED", "Checked: target/central/spark-qlora-")
                .doesNotContain("Not signed");
        String name = PythonPackage.isForSpark4() ? "spark-qlora-spark4_2.13" : "spark-qlora-spark3_2.12";
        Path artifact = Path.of("target", "central", "repository", "org", "sparkqlora", name);
        try (Stream<Path> files = Files.walk(artifact)) {
            assertThat(files.map(file -> file.toString().replaceFirst(".*_2\\.1[23]-[0-9.]+[0-9]", "")))
                    .contains(".pom", ".pom.md5", ".jar.sha1", "-sources.jar.asc", "-javadoc.jar.sha512");
        }
    }

    @Test
    void withoutAKeyItSaysThatNothingIsSigned() throws IOException, InterruptedException {
        Run run = central("pom.xml", "--dry-run", "--url", URL);

        assertThat(run.code()).as(run.output()).isZero();
        assertThat(run.output()).contains("Not signed: gpg has no secret key");
    }

    @Test
    void thePageOfTheProjectIsNotMadeUp() throws IOException, InterruptedException {
        Run run = run("src/build/release", "--dry-run");

        assertThat(run.code()).as(run.output()).isEqualTo(REFUSED);
        assertThat(run.output()).contains("expected the project's page, -Dproject.url=https://...");
    }

    @Test
    void aPomThatCentralWouldRefuseIsFound() throws IOException, InterruptedException {
        String pom = Files.readString(Path.of("pom.xml")).replace("licenses>", "licences>");
        Path misspelt = Files.writeString(folder.resolve("pom.xml"), pom);

        Run run = central(misspelt.toString(), "--dry-run", "--url", URL);

        assertThat(run.code()).as(run.output()).isEqualTo(REFUSED);
        assertThat(run.output()).contains(".pom has no licenses/license/name");
    }

    @Test
    void aFolderOfOthersIsLeftAsItIs() throws IOException, InterruptedException {
        Path foreign = Files.writeString(
                Files.createDirectory(folder.resolve("central")).resolve("notes.txt"), "mine");

        Run run = central("pom.xml", "--dry-run", "--url", URL);

        assertThat(run.code()).as(run.output()).isEqualTo(REFUSED);
        assertThat(run.output()).contains("expected nothing but an earlier bundle in", "found notes.txt");
        assertThat(foreign).hasContent("mine");
    }

    @Test
    void aSnapshotIsNoRelease() throws IOException, InterruptedException {
        String pom = Files.readString(Path.of("pom.xml")).replaceFirst("<version>[^<]*<", "<version>1.0.0-SNAPSHOT<");
        Path snapshot = Files.writeString(folder.resolve("pom.xml"), pom);

        Run run = central(snapshot.toString(), "--url", URL);

        assertThat(run.code()).as(run.output()).isEqualTo(REFUSED);
        assertThat(run.output()).contains("expected the version of a release", "found 1.0.0-SNAPSHOT");
    }

    private Run central(String pom, String... options) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                "python3",
                "src/build/central.py",
                "--pom",
                pom,
                "--target",
                folder.resolve("central").toString()));
        command.addAll(List.of(options));
        return run(command.toArray(String[]::new));
    }

    /** With twine, and with keys of this test alone. */
    private Run run(String... command) throws IOException, InterruptedException {
        Path log = Files.createTempFile(folder, "release-", ".log");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        Path programs = PythonEnvironment.open(REQUIREMENTS)
                .program("python")
                .toAbsolutePath()
                .getParent();
        builder.environment().put("PATH", programs + File.pathSeparator + System.getenv("PATH"));
        builder.environment().put("GNUPGHOME", keys.toString());
        int code = builder.start().waitFor();
        return new Run(code, Files.readString(log, StandardCharsets.UTF_8));
    }

    /**
     * What a command came to.
     *
     * @param output both streams
     */
    private record Run(int code, String output) {}
}
