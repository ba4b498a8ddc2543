package org.sparkqlora.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@NullMarked
class FilePageStoreTest extends PageStoreContract {
    @TempDir
    static Path folder;

    @Override
    PageStore open(int[] byteSizes) {
        return new FilePageStore(folder, byteSizes);
    }

    @Test
    void namesTheFileThatCannotBeMade() throws IOException {
        Path file = Files.createFile(folder.resolve("not-a-folder"));

        assertThatThrownBy(() -> new FilePageStore(file, new int[1]))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageStartingWith("Failed to create scratch file " + file);
        assertThat(Files.size(file)).isZero();
    }
}
