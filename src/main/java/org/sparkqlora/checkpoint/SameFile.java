package org.sparkqlora.checkpoint;

import java.io.IOException;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.storage.BlobWriter;
import org.sparkqlora.storage.DamagedFileException;
import org.sparkqlora.storage.StoredFile;
import org.sparkqlora.storage.WholeFile;

/** A file whose bytes are known before it is written: whoever comes second, after a kill or beside another attempt, finds it as it would write it. */
final class SameFile {
    private SameFile() {}

    /** Writes {@code file} unless it is there; one with other bytes is somebody else's and stays. */
    static void create(FileSystem files, Path folder, StoredFile file, BlobWriter content) throws IOException {
        if (isThere(files, folder, file)) {
            return;
        }

        try {
            WholeFile.create(files, new Path(folder, file.name()), content);
        } catch (IOException e) {
            if (!isThere(files, folder, file)) {
                throw e;
            }
        }
    }

    private static boolean isThere(FileSystem files, Path folder, StoredFile file) throws IOException {
        if (!files.exists(new Path(folder, file.name()))) {
            return false;
        }

        try {
            file.verify(files, folder);
            return true;
        } catch (DamagedFileException e) {
            throw new BadInputException(
                    "Cannot write %s in %s: expected none, or the same as it would be, found another. Move it away, or choose another folder"
                            .formatted(file.name(), folder),
                    e);
        }
    }
}
