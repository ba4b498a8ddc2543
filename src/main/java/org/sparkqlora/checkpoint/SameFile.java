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
        create(files, folder, file.name(), () -> file, content);
    }

    /** @param expected what the file is, which is asked only where one of its name is there already */
    static StoredFile create(FileSystem files, Path folder, String name, Expected expected, BlobWriter content)
            throws IOException {
        Path target = new Path(folder, name);
        if (files.exists(target)) {
            return same(files, folder, expected.file());
        }

        try {
            return WholeFile.create(files, target, content);
        } catch (IOException e) {
            if (files.exists(target)) {
                return same(files, folder, expected.file()); // another attempt came first
            }

            throw e;
        }
    }

    /** Tells of a file that is not written. */
    @FunctionalInterface
    interface Expected {
        StoredFile file() throws IOException;
    }

    private static StoredFile same(FileSystem files, Path folder, StoredFile file) throws IOException {
        try {
            file.verify(files, folder);
            return file;
        } catch (DamagedFileException e) {
            throw new BadInputException(
                    "Cannot write %s in %s: expected none, or the same as it would be, found another. Move it away, or choose another folder"
                            .formatted(file.name(), folder),
                    e);
        }
    }
}
