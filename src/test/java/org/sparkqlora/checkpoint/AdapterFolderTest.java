package org.sparkqlora.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.model.layout.SavedModule;
import org.sparkqlora.model.layout.SavedModules;
import org.sparkqlora.model.layout.TargetModules;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.storage.FreshFolder;
import org.sparkqlora.storage.LocalFiles;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.ModelConfigJson;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

class AdapterFolderTest {
    private static final String KEY = "base_model.model.model.layers.0.self_attn.q_proj.";
    private static final AdapterConfig CONFIG = new AdapterConfig(LoraSpec.allLinear(2, 4), "base");
    private static final ParameterIndex INDEX = index();

    private final FileSystem files = LocalFiles.system();

    @TempDir
    private Path temporary;

    private Path folder;

    static List<String> adapters() {
        return PeftAdapters.NAMES;
    }

    @BeforeEach
    void nameFolder() {
        folder = temporary.resolve("adapter");
    }

    @ParameterizedTest
    @MethodSource("adapters")
    void writesTheSameBytesAsPeft(String adapter) {
        Path golden = PeftAdapters.path(adapter);
        ParameterIndex index = PeftAdapters.index(adapter);
        AdapterConfig config = AdapterFolder.readConfig(files, LocalFiles.path(golden));
        FlatVector parameters = AdapterFolder.read(files, LocalFiles.path(golden), index);

        AdapterFolder.write(files, LocalFiles.path(folder), config, index, parameters);

        assertThat(folder.resolve("adapter_model.safetensors"))
                .hasSameBinaryContentAs(golden.resolve("adapter_model.safetensors"));
        assertThat(AdapterFolder.readConfig(files, LocalFiles.path(folder))).isEqualTo(config);
    }

    @Test
    void storesATiedMatrixUnderBothNamesAsPeft() {
        Path golden = PeftAdapters.path("saved-tied");
        ParameterIndex index = tied();
        AdapterConfig config = AdapterFolder.readConfig(files, LocalFiles.path(golden));
        FlatVector parameters = AdapterFolder.read(files, LocalFiles.path(golden), index);

        AdapterFolder.write(files, LocalFiles.path(folder), config, index, parameters);

        assertThat(folder.resolve("adapter_model.safetensors"))
                .hasSameBinaryContentAs(golden.resolve("adapter_model.safetensors"));
        assertThat(AdapterFolder.readConfig(files, LocalFiles.path(folder))
                        .lora()
                        .saved())
                .isEqualTo(new SavedModules(List.of(SavedModule.EMBEDDING, SavedModule.HEAD), true, 128));
    }

    @Test
    void refusesATiedMatrixWhoseTwoCopiesDiffer() {
        Path apart = PeftAdapters.path("saved-untied");

        assertThatThrownBy(() -> AdapterFolder.read(files, LocalFiles.path(apart), tied()))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot load tensor base_model.model.model.embed_tokens.weight: expected the same numbers as the"
                                + " tensor that it is tied to has, found others");
    }

    private static ParameterIndex tied() {
        ModelConfig config = ModelConfigJson.read(PeftAdapters.models().resolve("saved-tied/base/config.json"));
        LoraSpec lora = new LoraSpec(
                        4,
                        16,
                        0,
                        new TargetModules.Names(List.of("q_proj", "v_proj", "down_proj")),
                        false,
                        false,
                        Map.of(),
                        Map.of())
                .withSaved(new SavedModules(List.of(SavedModule.EMBEDDING), true));
        return ParameterIndex.of(config, new ModelSpec(Method.LORA, Precision.FP32, QuantSpec.DEFAULT, lora));
    }

    @Test
    void hasThePeftFilesAndNoOthers() throws IOException {
        write(FlatVector.of(1, 2, 3, 4));

        assertThat(names(folder)).containsExactly("adapter_config.json", "adapter_model.safetensors");
        assertThat(names(temporary)).containsExactly("adapter");
    }

    @Test
    void namesTheModulesInPlaceOfAllLinear() {
        write(FlatVector.of(1, 2, 3, 4));

        assertThat(AdapterFolder.readConfig(files, LocalFiles.path(folder))
                        .lora()
                        .targets())
                .isEqualTo(new TargetModules.Names(List.of("q_proj")));
    }

    @Test
    void replacesAnAdapterThatIsThere() throws IOException {
        write(FlatVector.of(1, 2, 3, 4));
        write(FlatVector.of(5, 6, 7, 8));

        assertThat(read().get(3)).isEqualTo(8);
        assertThat(names(temporary)).containsExactly("adapter");
    }

    @Test
    void keepsWhatSomebodyPutBesideTheAdapter() throws IOException {
        write(FlatVector.of(1, 2, 3, 4));
        Files.writeString(folder.resolve("README.md"), "a model card");
        Files.createDirectory(folder.resolve("evaluation"));
        Files.writeString(folder.resolve("evaluation/scores.txt"), "0.9");

        write(FlatVector.of(5, 6, 7, 8));

        assertThat(read().get(3)).isEqualTo(8);
        assertThat(folder.resolve("README.md")).hasContent("a model card");
        assertThat(folder.resolve("evaluation/scores.txt")).hasContent("0.9");
        assertThat(names(temporary)).containsExactly("adapter");
    }

    @Test
    void leavesTheFolderAloneThatALinkInItsPlaceLeadsTo() throws IOException {
        write(FlatVector.of(1, 2, 3, 4));
        Path elsewhere = temporary.resolve("elsewhere");
        Files.move(folder, elsewhere);
        Files.createSymbolicLink(folder, elsewhere);

        write(FlatVector.of(5, 6, 7, 8));

        assertThat(read().get(3)).isEqualTo(8);
        folder = elsewhere;
        assertThat(read().get(3)).isEqualTo(4);
        assertThat(names(temporary)).containsExactly("adapter", "elsewhere");
    }

    @Test
    void sweepsWhatKilledProcessesHadBegun() throws IOException {
        write(FlatVector.of(1, 2, 3, 4));
        Path begun = Files.createDirectory(temporary.resolve(".adapter.tmp-" + UUID.randomUUID()));
        Files.writeString(begun.resolve("adapter_model.safetensors"), "half");
        Path other = Files.createDirectory(temporary.resolve(".adapter-2.tmp-" + UUID.randomUUID()));

        FreshFolder.sweep(files, LocalFiles.path(folder));

        assertThat(begun).doesNotExist();
        assertThat(other).exists();
        assertThat(read().get(0)).isEqualTo(1);
    }

    /** Every change of a replacement in turn is the one at which the process dies. */
    @Test
    void keepsAnAdapterReadableWhereverItsReplacementIsKilled() throws IOException {
        int changes = 0;
        while (!replacesBeforeItDies(changes)) {
            assertThat(read().get(0)).as("after a kill at change %d", changes).isIn(1f, 5f);
            assertThat(AdapterFolder.readConfig(files, LocalFiles.path(folder)).baseModel())
                    .isEqualTo("base");
            write(FlatVector.of(5, 6, 7, 8));
            assertThat(folder.resolve("README.md")).hasContent("a model card");
            assertThat(names(folder.resolveSibling(".")))
                    .filteredOn(name -> !name.contains(".tmp-"))
                    .containsExactly("adapter");
            changes++;
        }

        assertThat(changes).isGreaterThan(8);
        assertThat(read().get(0)).isEqualTo(5);
    }

    private boolean replacesBeforeItDies(int changes) throws IOException {
        folder = temporary.resolve("killed-at-" + changes + "/adapter");
        write(FlatVector.of(1, 2, 3, 4));
        Files.writeString(folder.resolve("README.md"), "a model card");
        try {
            AdapterFolder.write(
                    new DyingFileSystem(files, changes),
                    LocalFiles.path(folder),
                    CONFIG,
                    INDEX,
                    FlatVector.of(5, 6, 7, 8));
            return true;
        } catch (UncheckedIOException e) {
            assertThat(e).hasMessage("Failed to write adapter %s", LocalFiles.path(folder));
            return false;
        }
    }

    @Test
    void refusesAnEmptyAdapter() {
        assertThatThrownBy(() -> AdapterFolder.write(
                        files,
                        LocalFiles.path(folder),
                        CONFIG,
                        ParameterIndex.builder().build(),
                        FlatVector.zeros(0)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot write adapter %s: expected trained tensors, found none", LocalFiles.path(folder));
        assertThat(folder).doesNotExist();
    }

    @Test
    void refusesAVectorOfAnotherLength() {
        assertThatThrownBy(() -> write(FlatVector.zeros(5)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot write adapter %s: expected 4 numbers, found 5", LocalFiles.path(folder));
    }

    @Test
    void refusesNumbersThatAreNotFiniteAndKeepsTheOldAdapter() throws IOException {
        write(FlatVector.of(1, 2, 3, 4));

        assertThatThrownBy(() -> write(FlatVector.of(1, 2, 3, Float.NaN)))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage("Cannot write tensor %slora_B.weight: expected finite numbers, found NaN at index 1", KEY);
        assertThat(read().get(3)).isEqualTo(4);
        assertThat(names(temporary)).containsExactly("adapter");
    }

    @Test
    void listsEveryTensorThatDoesNotFit() {
        write(FlatVector.of(1, 2, 3, 4));
        ParameterIndex.Builder other = ParameterIndex.builder();
        other.add(KEY + "lora_A.weight", 2, 1);
        other.add(KEY + "lora_C.weight", 2);

        assertThatThrownBy(() -> AdapterFolder.read(files, LocalFiles.path(folder), other.build()))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage("""
                        Cannot load adapter %s: expected the 2 tensors that this model trains, found others. Are model, rank and target modules those of the adapter?
                          1 missing: %slora_C.weight
                          1 unexpected: %slora_B.weight
                          1 different: %slora_A.weight (expected shape [2, 1], found F32[1, 2])""".formatted(LocalFiles.path(folder), KEY, KEY, KEY));
    }

    @Test
    void cutsALongListOfTensors() {
        ParameterIndex none = PeftAdapters.index("llama-tied/variants/qv");

        assertThatThrownBy(() -> AdapterFolder.read(files, LocalFiles.path(PeftAdapters.path("llama-tied")), none))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessageContaining("20 unexpected: ")
                .hasMessageEndingWith(" and 12 more");
    }

    @Test
    void refusesFoldersWithoutTheirFiles() throws IOException {
        Files.createDirectory(folder);
        assertThatThrownBy(() -> AdapterFolder.readConfig(files, LocalFiles.path(folder)))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot load adapter %s: expected adapter_config.json in it, found none",
                        LocalFiles.path(folder));
        assertThatThrownBy(this::read)
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot load adapter %s: expected adapter_model.safetensors in it, found none",
                        LocalFiles.path(folder));
        Files.createFile(folder.resolve("adapter_model.bin"));
        assertThatThrownBy(this::read)
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot load adapter %s: expected adapter_model.safetensors in it, found only the pickle adapter_model.bin, which can run code when it is read. Convert it once with PEFT: save_pretrained(dir, safe_serialization=True)",
                        LocalFiles.path(folder));
    }

    @Test
    void namesTheTensorAtWhichTheFileIsCutOff() throws IOException {
        write(FlatVector.of(1, 2, 3, 4));
        Path file = folder.resolve("adapter_model.safetensors");
        byte[] bytes = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(bytes, bytes.length - 1));

        assertThatThrownBy(this::read)
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot read tensor %slora_B.weight of %s: expected bytes %d to %d, found the end of the file at byte %d. Was the copy or download cut off?",
                        KEY, LocalFiles.path(file), bytes.length - 8, bytes.length, bytes.length - 1);
    }

    private void write(FlatVector parameters) {
        AdapterFolder.write(files, LocalFiles.path(folder), CONFIG, INDEX, parameters);
    }

    private FlatVector read() {
        return AdapterFolder.read(files, LocalFiles.path(folder), INDEX);
    }

    private static ParameterIndex index() {
        ParameterIndex.Builder index = ParameterIndex.builder();
        index.add(KEY + "lora_A.weight", 1, 2);
        index.add(KEY + "lora_B.weight", 2, 1);
        return index.build();
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> paths = Files.list(folder)) {
            return paths.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }
}
