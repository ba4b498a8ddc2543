package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.checkpoint.AdapterFolder;
import org.sparkqlora.checkpoint.CheckpointStore;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.InputLimits;
import org.sparkqlora.storage.LocalFiles;
import org.sparkqlora.weights.family.ModelConfigJson;

/** Small documents that are vast files are refused before they fill the memory. */
class OversizedFilesTest {
    @TempDir
    private Path folder;

    @Test
    void aConfigurationBeyondTheLimitIsRefused() throws IOException {
        Path config = vast(folder.resolve("config.json"), InputLimits.DEFAULT.configBytes());

        assertThatThrownBy(() -> ModelConfigJson.read(config))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("config.json: expected at most 100663296 bytes, found more");
    }

    @Test
    void anAdaptersConfigurationBeyondTheLimitIsRefused() throws IOException {
        vast(folder.resolve("adapter_config.json"), InputLimits.DEFAULT.configBytes());

        assertThatThrownBy(() -> AdapterFolder.readConfig(LocalFiles.system(), hadoop(folder)))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("adapter_config.json: expected at most 100663296 bytes, found more");
    }

    @Test
    void aCommitBeyondTheLimitIsNoCheckpoint() throws IOException {
        CheckpointStore store = new CheckpointStore(LocalFiles.system(), hadoop(folder), CheckpointStore.FEWEST_KEPT);
        store.publish(3, Map.of(), out -> out.write(1));
        try (var found = Files.newDirectoryStream(folder, "*.json")) {
            for (Path commit : found) {
                vast(commit, InputLimits.DEFAULT.documentBytes());
            }
        }

        assertThatThrownBy(store::newestGood)
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("expected at most 268435456 bytes, found more");
    }

    /** One byte more than {@code most}, of which the disk holds none. */
    private static Path vast(Path file, int most) throws IOException {
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(most + 1L);
        }

        return file;
    }

    private static org.apache.hadoop.fs.Path hadoop(Path folder) {
        return new org.apache.hadoop.fs.Path(folder.toUri());
    }
}
