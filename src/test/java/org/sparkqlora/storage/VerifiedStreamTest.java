package org.sparkqlora.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VerifiedStreamTest {
    private static final byte[] CONTENT = {1, 2, 3, 4, 5};

    @TempDir
    private Path folder;

    private Path file;

    @BeforeEach
    void nameFile() {
        file = folder.resolve("state.bin");
    }

    @Test
    void givesAllBytesThatWereWritten() throws IOException {
        Files.write(file, CONTENT);

        try (InputStream in = open()) {
            assertThat(in.read()).isEqualTo(1);
            assertThat(in.readNBytes(4)).containsExactly(2, 3, 4, 5);
            assertThat(in.read()).isEqualTo(-1);
        }
    }

    @Test
    void givesBytesBeforeTheLastOfAChangedFile() throws IOException {
        Files.write(file, new byte[] {1, 2, 3, 4, 6});

        try (InputStream in = open()) {
            assertThat(in.readNBytes(4)).containsExactly(1, 2, 3, 4);
            assertThatThrownBy(in::read)
                    .isInstanceOf(DamagedFileException.class)
                    .hasMessageStartingWith("Cannot trust file:")
                    .hasMessageEndingWith(
                            "state.bin: expected SHA-256 %s, found %s",
                            Sha256.hex(CONTENT), Sha256.hex(new byte[] {1, 2, 3, 4, 6}));
        }
    }

    @Test
    void refusesAFileThatIsShorterOrLonger() throws IOException {
        Files.write(file, Arrays.copyOf(CONTENT, 3));
        try (InputStream in = open()) {
            assertThatThrownBy(in::readAllBytes)
                    .isInstanceOf(DamagedFileException.class)
                    .hasMessageEndingWith("state.bin: expected 5 bytes, found 3");
        }

        Files.write(file, Arrays.copyOf(CONTENT, 7));
        try (InputStream in = open()) {
            assertThatThrownBy(in::readAllBytes)
                    .isInstanceOf(DamagedFileException.class)
                    .hasMessageEndingWith("state.bin: expected 5 bytes, found 7");
        }
    }

    private InputStream open() throws IOException {
        return StoredFile.of("state.bin", CONTENT).openVerified(LocalFiles.system(), LocalFiles.path(folder));
    }
}
