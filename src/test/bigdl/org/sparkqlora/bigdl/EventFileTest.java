package org.sparkqlora.bigdl;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EventFileTest {
    @TempDir
    private Path folder;

    @Test
    void aClosedFileHoldsAllThatWasAdded() throws IOException {
        write(20_000);

        assertThat(counts()).containsExactly(20_001L);
    }

    @Test
    void aSecondFileInTheSameSecondLeavesTheFirst() throws IOException {
        write(3);
        write(5);

        assertThat(counts()).containsExactlyInAnyOrder(4L, 6L);
    }

    private void write(int scalars) {
        try (EventFile file = EventFile.train(folder, "run")) {
            for (int step = 1; step <= scalars; step++) {
                file.add("Loss", 1.0 / step, step);
            }
        }
    }

    private List<Long> counts() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("run").resolve("train"))) {
            return files.filter(file -> !file.getFileName().toString().startsWith("."))
                    .map(file -> new WrittenRecords(file).count())
                    .toList();
        }
    }
}
