package org.sparkqlora.options;

import org.jspecify.annotations.Nullable;
import org.sparkqlora.storage.LocalFiles;
import org.sparkqlora.storage.TemporaryFolder;

/** Where a command that keeps no rows puts them: a folder the user named, which stays, or a temporary one, which does not. */
public final class RowsFolder implements AutoCloseable {
    private final String location;
    private final @Nullable TemporaryFolder temporary;

    private RowsFolder(String location, @Nullable TemporaryFolder temporary) {
        this.location = location;
        this.temporary = temporary;
    }

    public static RowsFolder of(@Nullable String named) {
        return named == null ? temporary() : new RowsFolder(named, null);
    }

    private static RowsFolder temporary() {
        TemporaryFolder folder = TemporaryFolder.create("spark-qlora-rows-");
        return new RowsFolder(LocalFiles.path(folder.path()).toString(), folder);
    }

    public String location() {
        return location;
    }

    @Override
    public void close() {
        if (temporary != null) {
            temporary.close();
        }
    }
}
