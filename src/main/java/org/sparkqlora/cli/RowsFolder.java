package org.sparkqlora.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.storage.LocalFiles;

/** Where a command that keeps no rows puts them: a folder the user named, which stays, or a temporary one, which does not. */
final class RowsFolder implements AutoCloseable {
    private final String location;
    private final @Nullable Path temporary;

    private RowsFolder(String location, @Nullable Path temporary) {
        this.location = location;
        this.temporary = temporary;
    }

    static RowsFolder of(@Nullable String named) {
        return named == null ? temporary() : new RowsFolder(named, null);
    }

    private static RowsFolder temporary() {
        try {
            Path folder = Files.createTempDirectory("spark-qlora-rows-");
            return new RowsFolder(LocalFiles.path(folder).toString(), folder);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to create a folder for rows", e);
        }
    }

    String location() {
        return location;
    }

    @Override
    public void close() {
        if (temporary == null) {
            return;
        }

        try {
            LocalFiles.delete(temporary);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to remove " + temporary, e);
        }
    }
}
