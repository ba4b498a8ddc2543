package org.sparkqlora.weights;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.command.demo.DemoModel;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

class CheckedWeightsTest {
    private static final FileTime SOME_TIME = FileTime.from(Instant.parse("2026-01-02T03:04:05Z"));

    /** bfloat16 and float32 that are no numbers end so. */
    private static final byte[] NOT_A_NUMBER = {(byte) 0xFF, (byte) 0xFF, (byte) 0xFF, (byte) 0xFF};

    /** Between two of the samples that a model's name is made of. */
    private static final int FROM_THE_END = 64;

    @TempDir
    private Path folder;

    @BeforeEach
    void writeModel() throws IOException {
        DemoModel.write(model(), 7);
        Files.setLastModifiedTime(weights(), SOME_TIME);
    }

    @Test
    void aModelIsReadOnceAHost() throws IOException {
        requireFinite(folder.resolve("cache"));
        spoil();
        Files.setLastModifiedTime(weights(), SOME_TIME);

        assertThatCode(() -> requireFinite(folder.resolve("cache"))).doesNotThrowAnyException();
        assertThatThrownBy(() -> requireFinite(folder.resolve("other cache")))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessageContaining("expected a finite number");
    }

    @Test
    void aModelThatWasWrittenSinceIsReadAgain() throws IOException {
        requireFinite(folder.resolve("cache"));
        spoil();

        for (int start = 0; start < 2; start++) {
            assertThatThrownBy(() -> requireFinite(folder.resolve("cache")))
                    .isInstanceOf(InvalidWeightsException.class)
                    .hasMessageContaining("expected a finite number");
        }
    }

    @Test
    void aModelIsReadWhereNothingCanBeKept() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));

        assertThatCode(() -> requireFinite(file.resolve("cache"))).doesNotThrowAnyException();
        spoil();
        assertThatThrownBy(() -> requireFinite(file.resolve("cache")))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessageContaining("expected a finite number");
    }

    private void requireFinite(Path cache) {
        try (WeightFolder opened = WeightFolder.open(model());
                Workers workers = new Workers(2)) {
            new CheckedWeights(cache).requireFinite(opened, workers);
        }
    }

    private Path model() {
        return folder.resolve("model");
    }

    private Path weights() {
        return model().resolve("model.safetensors");
    }

    private void spoil() throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(weights().toFile(), "rw")) {
            file.seek(file.length() - FROM_THE_END);
            file.write(NOT_A_NUMBER);
        }
    }
}
