package org.sparkqlora.storage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.sparkqlora.input.BadInputException;

class PrivateFolderTest {
    private static final Path FOLDER = Path.of("/cache/spark-qlora");

    @Test
    void aPlaceThatThisUserCannotWriteIsBadInput() {
        assertThat(PrivateFolder.failed(FOLDER, new AccessDeniedException("/cache")))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("found no permission to write /cache. Set XDG_CACHE_HOME");
        assertThat(PrivateFolder.failed(FOLDER, failure("Read-only file system")))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("found /cache/spark-qlora: Read-only file system. Set XDG_CACHE_HOME");
    }

    @Test
    void aDiskWithoutRoomIsNone() {
        assertThat(PrivateFolder.failed(FOLDER, failure("No space left on device")))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessage("Failed to make the folder " + FOLDER);
    }

    private static IOException failure(String reason) {
        return new FileSystemException(FOLDER.toString(), null, reason);
    }
}
