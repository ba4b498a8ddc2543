package org.sparkqlora.checkpoint.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.storage.DiskRoom;
import org.sparkqlora.storage.ModelCache;
import org.sparkqlora.storage.StoredFile;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

/** Any address with a scheme is copied, so the local file system stands for the others. */
class ModelPlaceTest {
    @TempDir
    private Path temporary;

    private Path source;
    private Path cache;

    @BeforeEach
    void writeModel() throws IOException {
        source = Files.createDirectory(temporary.resolve("source"));
        cache = temporary.resolve("cache");
        Files.writeString(source.resolve("config.json"), "{}");
        Files.writeString(source.resolve("tokenizer.json"), "[]");
        Files.write(source.resolve("model.safetensors"), new byte[100_000]);
        Files.writeString(source.resolve("pytorch_model.bin"), "not this");
        Files.createDirectory(source.resolve("original"));
    }

    @Test
    void copiesTheFilesThatMakeUpAModelOnce() throws IOException {
        Path copy = there(source).folder(ModelCache.at(cache));

        try (Stream<Path> files = Files.list(copy)) {
            assertThat(files.map(file -> String.valueOf(file.getFileName())))
                    .containsExactlyInAnyOrder("config.json", "tokenizer.json", "model.safetensors");
        }

        assertThat(copy.resolve("model.safetensors")).hasSameBinaryContentAs(source.resolve("model.safetensors"));
        FileTime copied = Files.getLastModifiedTime(copy.resolve("config.json"));
        assertThat(there(source).folder(ModelCache.at(cache))).isEqualTo(copy);
        assertThat(Files.getLastModifiedTime(copy.resolve("config.json"))).isEqualTo(copied);
    }

    @Test
    void aModelThatDoesNotFitOnTheDiskIsNotBegun() throws IOException {
        long length = 1L << 42;
        try (RandomAccessFile sparse =
                new RandomAccessFile(source.resolve("model.safetensors").toFile(), "rw")) {
            sparse.setLength(length);
        }

        assertThat(DiskRoom.bytesFree(temporary)).isLessThan(length);
        assertThatThrownBy(() -> there(source).folder(ModelCache.at(cache)))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageStartingWith("Failed to copy model file:")
                .rootCause()
                .hasMessageMatching(
                        "Cannot write 4398[.]0 GB to %s.*: expected as much free on its disk, found [0-9.]+ GB[.]"
                                        .formatted(cache)
                                + " Free some, or name a folder on a larger disk[.]");
        try (Stream<Path> left = Files.list(cache)) {
            assertThat(left).allMatch(path -> path.toString().endsWith(".lock"));
        }
    }

    @Test
    void copiesAChangedModelAnew() throws IOException {
        Path before = there(source).folder(ModelCache.at(cache));
        Files.setLastModifiedTime(source.resolve("model.safetensors"), FileTime.fromMillis(0));

        assertThat(there(source).folder(ModelCache.at(cache))).isNotEqualTo(before);
    }

    @Test
    void aPublishedModelIsTheSameWhereverItLiesAndNothingElseIsCopied() throws IOException {
        publish();
        Files.writeString(source.resolve("tokenizer_config.json"), "not published");
        Path copy = there(source).folder(ModelCache.at(cache));
        Path moved = Files.move(source, temporary.resolve("moved"));

        assertThat(there(moved).folder(ModelCache.at(cache))).isEqualTo(copy);
        assertThat(copy.toFile().list())
                .containsExactlyInAnyOrder("config.json", "tokenizer.json", "model.safetensors");
        assertThat(copy.resolveSibling(copy.getFileName() + ".parts")).doesNotExist();
    }

    @Test
    void aPublishedFileThatIsNotWhatItWasIsRefused() throws IOException {
        publish();
        byte[] bytes = new byte[100_000];
        bytes[77] = 1;
        Files.write(source.resolve("model.safetensors"), bytes);
        assertThatThrownBy(() -> there(source).folder(ModelCache.at(cache)))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessageMatching(
                        "Cannot trust file:%s/model[.]safetensors: expected SHA-256 [0-9a-f]{64} as published[.]json says, found [0-9a-f]{64}[.] It was damaged or replaced: publish it anew"
                                .formatted(source));

        Files.write(source.resolve("model.safetensors"), new byte[99_999]);
        assertRefused(
                source, "expected model.safetensors of 100000 bytes as its published.json says, found 99999 bytes");
        Files.delete(source.resolve("tokenizer.json"));
        assertThat(cache.toFile().list()).noneMatch(name -> name.endsWith(".safetensors"));
    }

    private void publish() throws IOException {
        List<String> files = new ArrayList<>();
        for (String name : List.of("config.json", "model.safetensors", "tokenizer.json")) {
            Path file = source.resolve(name);
            files.add("{\"name\": \"%s\", \"bytes\": %d, \"sha256\": \"%s\"}"
                    .formatted(name, Files.size(file), StoredFile.hash(file)));
        }

        Files.writeString(source.resolve("published.json"), "{\"files\": %s}".formatted(files));
    }

    @Test
    void copiesAndConvertsAGgufFile() throws Exception {
        Path golden = Path.of(Objects.requireNonNull(getClass().getResource("/goldens/gguf/models/llama3.gguf"))
                .toURI());

        Path folder = there(golden).folder(ModelCache.at(cache));

        assertThat(folder.getParent()).isEqualTo(cache);
        assertThat(folder.resolve("model.safetensors")).isNotEmptyFile();
    }

    @Test
    void leavesALocalFolderWhereItIs() {
        ModelPlace here = new ModelPlace(source.toString(), Map.of());

        assertThat(here.folder(ModelCache.at(cache))).isEqualTo(source);
        assertThat(here.problem()).isEmpty();
        assertThat(cache).doesNotExist();
    }

    @Test
    void saysWhatIsNotThere() throws IOException {
        Path none = source.resolve("none");
        assertThat(new ModelPlace(none.toString(), Map.of()).problem())
                .hasValue(
                        "Cannot open model %s: expected it at this path on every executor, found none. Or name one on a Hadoop file system"
                                .formatted(none));
        assertRefused(none, "expected a folder or a .gguf file, found nothing");
        assertRefused(source.resolve("tokenizer.json"), "expected a folder or a .gguf file, found another file");
        Files.delete(source.resolve("config.json"));
        assertRefused(source, "expected a folder with config.json, found none in it");
        assertThat(cache).doesNotExist();
    }

    @Test
    void keepsItsSettingsToItself() {
        assertThat(new ModelPlace("s3a://bucket/model", Map.of("fs.s3a.secret.key", "hidden")))
                .hasToString("s3a://bucket/model");
    }

    private void assertRefused(Path path, String reason) {
        assertThatThrownBy(() -> there(path).folder(ModelCache.at(cache)))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage("Cannot open model file:%s: %s".formatted(path, reason));
    }

    private static ModelPlace there(Path path) {
        return new ModelPlace("file://" + path, Map.of());
    }
}
