package org.sparkqlora.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.cli.CommandRun;

class PublishCommandTest {
    private static final String HASH_OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    @TempDir
    Path folder;

    private Path adapter;
    private Path target;

    @BeforeEach
    void writeAdapter() throws IOException {
        adapter = Files.createDirectories(folder.resolve("run/adapter"));
        target = folder.resolve("models/owl/1");
        Files.writeString(adapter.resolve("adapter_model.bin"), "abc");
        Files.writeString(adapter.resolve("adapter_config.json"), "{}");
    }

    @Test
    void theFilesAreThereAndWhatTellsThatTheyAreWhole() throws IOException {
        CommandRun run = publish();

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(run.summary()).contains("\"published\":\"" + target + "\"", "\"files\":2", "\"bytes\":5");
        assertThat(target.resolve("adapter_model.bin")).hasContent("abc");
        JsonNode files = new ObjectMapper()
                .readTree(target.resolve("published.json").toFile())
                .path("files");
        assertThat(files).hasSize(2);
        assertThat(files.get(1).path("name").asText()).isEqualTo("adapter_model.bin");
        assertThat(files.get(1).path("bytes").asInt()).isEqualTo(3);
        assertThat(files.get(1).path("sha256").asText()).isEqualTo(HASH_OF_ABC);
    }

    @Test
    void aModelWhoseIndexNamesAFileThatIsNotThereIsRefused() throws IOException {
        Files.move(adapter.resolve("adapter_model.bin"), adapter.resolve("model-00001-of-00002.safetensors"));
        Files.move(adapter.resolve("adapter_config.json"), adapter.resolve("config.json"));
        Files.writeString(
                adapter.resolve("model.safetensors.index.json"),
                "{\"weight_map\": {\"a\": \"model-00001-of-00002.safetensors\", \"b\": \"model-00002-of-00002.safetensors\"}}");

        CommandRun run = publish();

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains("model.safetensors.index.json lists model-00002-of-00002.safetensors, which does not exist");
        assertThat(target).doesNotExist();
    }

    @Test
    void weightsThatEndEarlyAreRefused() throws IOException {
        byte[] header =
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}".getBytes(StandardCharsets.UTF_8);
        byte[] whole = ByteBuffer.allocate(Long.BYTES + header.length + 8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(header.length)
                .put(header)
                .array();
        Path weights = adapter.resolve("adapter_model.safetensors");
        Files.write(weights, Arrays.copyOf(whole, whole.length - 1));

        CommandRun run = publish();

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("adapter_model.safetensors", "Was the copy or download cut off?");
        assertThat(target).doesNotExist();

        Files.write(weights, whole);
        assertThat(publish().code()).isEqualTo(ExitCode.OK);
    }

    @Test
    void theSameAgainChangesNothing() throws IOException {
        publish();
        FileTime before = FileTime.fromMillis(1000);
        Files.setLastModifiedTime(target.resolve("adapter_config.json"), before);

        assertThat(publish().code()).isEqualTo(ExitCode.OK);
        assertThat(Files.getLastModifiedTime(target.resolve("adapter_config.json")))
                .isEqualTo(before);
    }

    @Test
    void whatIsPublishedNeverChanges() throws IOException {
        publish();
        Files.writeString(adapter.resolve("adapter_model.bin"), "other");

        CommandRun run = publish();

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("other files are published there. Give each version a folder of its own");
        assertThat(target.resolve("adapter_model.bin")).hasContent("abc");
    }

    @Test
    void aCopyThatDidNotEndIsMadeAnew() throws IOException {
        publish();
        Files.delete(target.resolve("published.json"));
        Files.writeString(target.resolve("adapter_model.bin"), "a");

        assertThat(publish().code()).isEqualTo(ExitCode.OK);
        assertThat(target.resolve("adapter_model.bin")).hasContent("abc");
        assertThat(target.resolve("published.json")).exists();
    }

    /** Between the writing of published.json and its renaming, and while a file was copied. */
    @Test
    void aPublisherThatWasKilledIsTakenUpByTheSameCommand() throws IOException {
        publish();
        String random = "." + UUID.randomUUID();
        Files.move(target.resolve("published.json"), target.resolve(".published.json" + random));
        Files.writeString(target.resolve(".adapter_model.bin" + random), "ab");

        CommandRun run = publish();

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        try (Stream<Path> files = Files.list(target)) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder("adapter_model.bin", "adapter_config.json", "published.json");
        }
    }

    @Test
    void whatIsPublishedAlreadyIsPublishedElsewhereAsItWasFirst() throws IOException {
        Path first = target;
        publish();
        adapter = first;
        target = first.resolveSibling("elsewhere");

        CommandRun run = publish();

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(target.resolve("published.json"))
                .hasSameTextualContentAs(first.resolve("published.json"))
                .content()
                .doesNotContain("published.json");
    }

    @Test
    void filesOfTheSameNamesThatWereNeverPublishedStay() throws IOException {
        Files.createDirectories(target);
        Files.writeString(target.resolve("adapter_model.bin"), "xyz");

        CommandRun run = publish();

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("expected a new folder, found another adapter_model.bin in it");
        assertThat(target.resolve("adapter_model.bin")).hasContent("xyz");
    }

    @Test
    void aFolderThatIsPublishedOntoItselfKeepsItsFiles() {
        target = adapter;

        assertThat(publish().code()).isEqualTo(ExitCode.OK);

        assertThat(adapter.resolve("adapter_model.bin")).hasContent("abc");
        assertThat(adapter.resolve("published.json")).exists();
    }

    @Test
    void aFolderOfSomethingElseIsNotTouched() throws IOException {
        Files.createDirectories(target);
        Files.writeString(target.resolve("thesis.txt"), "years of work");

        CommandRun run = publish();

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("expected a new folder, found [thesis.txt] in it");
        assertThat(target).isDirectoryNotContaining("glob:**adapter*");
    }

    @Test
    void aFolderWithoutFilesIsRefused() throws IOException {
        Files.createDirectories(folder.resolve("empty/checkpoints"));
        CommandRun run =
                CommandRun.of("publish", "--from", folder.resolve("empty").toString(), "--to", target.toString());

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("expected an adapter or a model, found no files");
        assertThat(target).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(strings = {"adapter_config.json", "adapter_model.bin"})
    void aFolderThatIsNoAdapterAndNoModelIsRefused(String missing) throws IOException {
        Files.delete(adapter.resolve(missing));

        CommandRun run = publish();

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err())
                .contains("expected an adapter or a model (adapter_config.json or config.json, and weights)");
        assertThat(target).doesNotExist();
    }

    @Test
    void filesThatAreNoPartOfAnAdapterAreNamed() throws IOException {
        Files.writeString(adapter.resolve("notes.docx"), "mine");
        Files.writeString(adapter.resolve("data.jsonl"), "{}");
        Files.writeString(adapter.resolve("README.md"), "# Owl");

        CommandRun run = publish();

        assertThat(run.code()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err()).contains("found [data.jsonl, notes.docx] too. Move them away");
        assertThat(target).doesNotExist();
    }

    private CommandRun publish() {
        return CommandRun.of("publish", "--from", adapter.toString(), "--to", target.toString());
    }
}
