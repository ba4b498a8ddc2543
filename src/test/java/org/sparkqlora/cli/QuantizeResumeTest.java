package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.command.ExitCode;
import org.sparkqlora.options.Sessions;
import org.sparkqlora.storage.StoredFile;
import org.sparkqlora.weights.WeightFolder;

/** A folder that an earlier command began: every file of weights is one tensor. */
class QuantizeResumeTest {
    private static final String MODEL = "src/test/resources/goldens/models/llama-sharded/base";
    private static final String OTHER = "src/test/resources/goldens/models/llama-tied/base";
    private static final String PART = "model-00003-of-";

    @TempDir
    private static Path shared;

    private static Path whole;
    private static Path killed;

    @TempDir
    private Path temporary;

    @BeforeAll
    static void quantize() throws IOException, InterruptedException {
        whole = shared.resolve("whole");
        killed = shared.resolve("killed");
        assertThat(quantize(MODEL, whole).code()).isEqualTo(ExitCode.OK);
        Path part = part(whole);
        DriverProcess.start(
                        shared.resolve("driver.log"), List.of("-Dspark.master=local[1]"), List.of(line(MODEL, killed)))
                .killOnce(() -> Files.exists(killed.resolve(note(part))));
        assertThat(killed.resolve("quantize.json")).exists();
        assertThat(killed.resolve("config.json")).doesNotExist();
    }

    @AfterAll
    static void stopSpark() {
        Sessions.stop();
    }

    @Test
    void writesOneFileATaskAndTheHashOfEachLast() throws IOException {
        List<String> names = List.of(whole.toFile().list());

        assertThat(names)
                .contains("config.json", "model.safetensors.index.json", "published.json")
                .noneMatch(name -> name.endsWith(".written.json") || name.equals("quantize.json"));
        assertThat(Files.readString(whole.resolve("published.json")))
                .contains(StoredFile.hash(whole.resolve("config.json")))
                .contains(StoredFile.hash(part(whole)));
        try (WeightFolder written = WeightFolder.open(whole)) {
            written.checkShapes();
            assertThat(written.quantized()).isTrue();
        }
    }

    @Test
    void theSameCommandChangesNothingOfWhatIsWhole() throws IOException {
        Map<String, FileTime> before = times(whole);

        CommandRun again = quantize(MODEL, whole);

        assertThat(again.code()).as(again.err()).isEqualTo(ExitCode.OK);
        assertThat(again.err()).contains("is there already, of the same model and options");
        assertThat(again.summary()).contains("\"quantized_weights\":", "\"bits_per_weight\":");
        assertThat(times(whole)).isEqualTo(before);
    }

    @Test
    void aKilledCommandGoesOnFromThePartsThatAreWhole() throws IOException {
        Path output = begun();
        Map<String, FileTime> before = times(output);
        before.keySet().removeIf(name -> !name.endsWith(".safetensors") || name.startsWith("."));

        CommandRun again = quantize(MODEL, output);

        assertThat(again.code()).as(again.err()).isEqualTo(ExitCode.OK);
        assertThat(times(output)).containsAllEntriesOf(before);
        assertSame(output, whole);
    }

    @Test
    void aPartThatIsDamagedIsTold() throws IOException {
        Path output = begun();
        Path part = part(output);
        byte[] bytes = Files.readAllBytes(part);
        bytes[bytes.length - 1]++;
        Files.write(part, bytes);

        CommandRun again = quantize(MODEL, output);

        assertThat(again.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(again.err())
                .containsPattern(
                        "quantize: Cannot go on in file:.*: Cannot trust file:.*%s\\d+[.]safetensors: expected SHA-256 [0-9a-f]{64}, found [0-9a-f]{64}[.] "
                                        .formatted(PART)
                                + "Delete that file and %s\\d+[.]written[.]json; the same command then writes it again"
                                        .formatted(PART));
        assertThat(part).hasBinaryContent(bytes);

        Files.delete(part);
        CommandRun mended = quantize(MODEL, output);

        assertThat(mended.code()).as(mended.err()).isEqualTo(ExitCode.OK);
        assertSame(output, whole);
    }

    @Test
    void aFolderThatWasBegunWithAnotherModelIsRefusedAndStays() throws IOException {
        Path output = begun();
        Map<String, FileTime> before = times(output);

        CommandRun other = quantize(OTHER, output);

        assertThat(other.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(other.err())
                .contains("Cannot write %s: expected a folder that does not exist yet, found one".formatted(output));
        assertThat(times(output)).isEqualTo(before);
    }

    @Test
    void aFileOfSomebodyElseInThePlaceOfAPartStays() throws IOException {
        Path output = begun();
        Files.delete(output.resolve(note(part(output))));
        Path part = Files.writeString(part(output), "somebody's");

        CommandRun run = quantize(MODEL, output);

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains("Cannot write %s in file:%s: expected none, or the same as it would be, found another."
                        .formatted(part.getFileName(), output));
        assertThat(part).hasContent("somebody's");
    }

    @Test
    void overwriteReplacesAnotherModelOnceTheNewOneIsWhole() throws IOException {
        Path output = temporary.resolve("replaced");
        assertThat(quantize(OTHER, output).code()).isEqualTo(ExitCode.OK);
        Path note = Files.writeString(output.resolve("README.md"), "somebody's");
        CommandRun refused = quantize(MODEL, output);
        assertThat(refused.code()).isEqualTo(ExitCode.BAD_INPUT);

        CommandRun run = quantize(MODEL, output, "--overwrite");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(note).hasContent("somebody's");
        Files.delete(note);
        assertSame(output, whole);
        assertThat(temporary.toFile().list()).containsExactly("replaced");
    }

    @Test
    void aCommandThatWasKilledAfterItsLastFileIsFinished() throws IOException {
        Path output = copyOf(whole);
        Files.copy(killed.resolve("quantize.json"), output.resolve("quantize.json"));
        Files.copy(killed.resolve(note(part(whole))), output.resolve(note(part(whole))));
        Files.writeString(output.resolve(".published.json.01234567-0123-0123-0123-0123456789ab"), "{");

        CommandRun run = quantize(MODEL, output);

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertSame(output, whole);
    }

    @Test
    void aFinishedFolderThatLostAFileIsTold() throws IOException {
        Path output = copyOf(whole);
        Files.delete(part(output));

        CommandRun run = quantize(MODEL, output);

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains("Cannot take file:%s for finished: expected %s of "
                        .formatted(output, part(whole).getFileName()));
    }

    @Test
    void whatWasToReplaceAFolderAndIsWholeReplacesIt() throws IOException {
        Path output = Files.createDirectory(temporary.resolve("replaced"));
        Files.writeString(output.resolve("config.json"), "{}");
        String id = Files.readString(killed.resolve("quantize.json")).replaceAll(".*\"plan\":\"(.{12}).*\\s*", "$1");
        Path ready = Files.move(copyOf(whole), temporary.resolve(".replaced.new-" + id));

        CommandRun run = quantize(MODEL, output, "--overwrite");

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(run.err()).contains("--overwrite: replacing config.json").doesNotContain("files of weights");
        assertSame(output, whole);
        assertThat(ready).doesNotExist();
    }

    /** A copy of the folder that a killed command left. */
    private Path begun() throws IOException {
        return copyOf(killed);
    }

    private Path copyOf(Path folder) throws IOException {
        Path output = Files.createDirectory(temporary.resolve("begun"));
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.copy(file, output.resolve(file.getFileName()));
            }
        }

        return output;
    }

    private static String note(Path part) {
        return part.getFileName().toString().replace(".safetensors", ".written.json");
    }

    private static Path part(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().startsWith(PART)
                            && file.toString().endsWith(".safetensors"))
                    .findFirst()
                    .orElseThrow();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static CommandRun quantize(String model, Path output, String... options) {
        return CommandRun.of(line(model, output, options));
    }

    private static String[] line(String model, Path output, String... options) {
        return Stream.concat(
                        Stream.of("quantize", "--model", model, "--output", output.toString(), "--max-shard-size", "1"),
                        Stream.of(options))
                .toArray(String[]::new);
    }

    private static Map<String, FileTime> times(Path folder) throws IOException {
        Map<String, FileTime> times = new TreeMap<>();
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                times.put(file.getFileName().toString(), attributes.lastModifiedTime());
                return FileVisitResult.CONTINUE;
            }
        });
        return times;
    }

    private static void assertSame(Path found, Path expected) throws IOException {
        assertThat(found.toFile().list())
                .containsExactlyInAnyOrder(expected.toFile().list());
        for (String name : expected.toFile().list()) {
            assertThat(found.resolve(name)).hasSameBinaryContentAs(expected.resolve(name));
        }
    }
}
