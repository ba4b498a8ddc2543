package org.sparkqlora.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.checkpoint.hub.ModelPlace;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.storage.ModelCache;
import org.sparkqlora.tensor.cuda.ComputeCapability;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

/** Any address with a scheme is copied, so the local file system stands for the others. */
class FolderModelSourceTest {
    @TempDir
    private Path temporary;

    private Path config;
    private ModelPlace there;
    private Path cacheOfDriver;
    private Path cache;

    @BeforeEach
    void writeModel() throws IOException {
        config = Files.createDirectory(temporary.resolve("model")).resolve("config.json");
        Files.writeString(config, "{}");
        there = new ModelPlace("file://" + config.getParent(), Map.of());
        cacheOfDriver = temporary.resolve("driver");
        cache = temporary.resolve("cache");
    }

    @Test
    void aHostThatLacksTheFolderMakesItOnce() throws IOException {
        FolderModelSource source = source();
        assertThat(source.problem(List.of())).isEmpty();

        Path made = source.local();
        assertThat(made).isEqualTo(Path.of(source.folder())).isDirectory();

        Files.setLastModifiedTime(config, FileTime.fromMillis(0));
        assertThat(source.local()).isEqualTo(made);
    }

    @Test
    void aHostThatLacksTheFolderNeedsRoomForAllItsCopies() {
        FolderModelSource large = source().copying(1L << 55);

        assertThat(source().copying(1).problem(List.of())).isEmpty();
        assertThat(large.problem(List.of()))
                .get(STRING)
                .startsWith("Cannot write 36028797.0 GB to %s: expected as much free on its disk".formatted(cache))
                .endsWith("Free some, or name a folder on a larger disk. --model-cache names it.");
        large.local();
        assertThat(large.problem(List.of())).isEmpty();
    }

    @Test
    void anOlderCardDoesNotComputeInBfloat16AndSaysWhatItDoes() {
        ComputeCapability older = new ComputeCapability(7, 5);

        assertThat(FolderModelSource.problem(Precision.BF16, older))
                .contains(
                        "Cannot compute in bf16 on a GPU of compute capability 7.5: expected 8.0. Use --precision auto"
                                + " or fp16");
        assertThat(FolderModelSource.problem(Precision.FP16, older)).isEmpty();
        assertThat(FolderModelSource.problem(Precision.FP32, older)).isEmpty();
        assertThat(FolderModelSource.problem(Precision.BF16, ComputeCapability.FIRST_WITH_BFLOAT16))
                .isEmpty();
    }

    @Test
    void aModelThatWasChangedMeanwhileIsRefused() throws IOException {
        FolderModelSource source = source();
        Files.setLastModifiedTime(config, FileTime.fromMillis(0));

        assertThatThrownBy(source::local)
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessageStartingWith(
                        "Cannot open model %s: expected the one that the driver opened as %s, found another ("
                                .formatted(there, source.folder()))
                .hasMessageEndingWith("). Was it changed?");
    }

    /** As the driver, whose cache has the same path on another host, sends it. */
    private FolderModelSource source() {
        Path name = there.folder(ModelCache.at(cacheOfDriver)).getFileName();
        ModelSpec spec = new ModelSpec(Method.LORA, Precision.FP32, QuantSpec.DEFAULT, null);
        return new FolderModelSource(there, cache.resolve(name).toString(), spec, ModelCache.at(cache));
    }
}
