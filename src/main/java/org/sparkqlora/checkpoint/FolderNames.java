package org.sparkqlora.checkpoint;

import java.io.IOException;
import java.util.List;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.sparkqlora.storage.StorePath;

/** The names in a checkpoint folder. */
final class FolderNames {
    private FolderNames() {}

    /** All names; none when there is no such folder. Asked for twice when there are none: a claimed folder is never empty. */
    static List<String> of(FileSystem files, Path folder) throws IOException {
        List<String> names = StorePath.names(files, folder);
        return names.isEmpty() ? StorePath.names(files, folder) : names;
    }
}
