package org.sparkqlora.spark.prepare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RowsPlaceTest {
    @TempDir
    private Path folder;

    private PreparedData data;

    @BeforeEach
    void prepare() throws IOException {
        data = written("a");
    }

    @Test
    void theRowsOfTheDriverAreOpened() {
        try (PreparedRows rows = data.place().open(new Configuration())) {
            assertThat(rows.rows()).isEqualTo(3);
        }
    }

    @Test
    void rowsThatSomebodyTakesAwayAreAFaultOutside() throws IOException {
        Files.delete(folder.resolve(Manifest.FILE_NAME));

        assertFault("found none");
    }

    @Test
    void rowsThatSomebodyReplacesAreAFaultOutside() throws IOException {
        written("b");

        assertFault("found those of another preparation");
    }

    private void assertFault(String found) {
        assertThatThrownBy(() -> data.place().open(new Configuration()))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessage("Failed to read rows of " + folder)
                .hasRootCauseInstanceOf(FileNotFoundException.class)
                .hasRootCauseMessage("expected the rows that were there as the command began, " + found);
    }

    private PreparedData written(String fingerprint) throws IOException {
        Manifest manifest = new Manifest(
                fingerprint,
                PreparationRuns.WIDTH,
                List.of(new PreparedFile("rows-0.bin", 3, "0".repeat(64))),
                new PreparationCounts(3, 3, 9, 9, 0, 0, 0),
                TokenIds.UNKNOWN);
        Files.writeString(folder.resolve(Manifest.FILE_NAME), ManifestJson.write(manifest));
        return new PreparedData(folder.toString(), manifest);
    }
}
