package org.sparkqlora.spark.source;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.security.AccessControlException;
import org.sparkqlora.input.BadInputException;

/** Finds out whether data files belong to a table or a streaming sink, whose log alone knows the ones that count. Driver only. */
final class TableFolders {
    private final Map<Path, Optional<Owner>> known = new HashMap<>();

    /**
     * A folder whose log says which of its files count.
     *
     * @param words for the folder
     * @param doubtful possible contents of the other files
     */
    private record Owner(String words, Path folder, String doubtful) {
        static Owner of(TableFormat format, Path folder) {
            return new Owner(format.words() + " table", folder, "were deleted or replaced");
        }

        static Owner ofSink(Path folder) {
            return new Owner("streaming sink", folder, "were written twice");
        }

        String noun() {
            return words.substring(words.lastIndexOf(' ') + 1);
        }
    }

    /** Refuses files inside a table or a sink. */
    void requireOutside(FileSystem files, Path named) throws IOException {
        Path parent = named.getParent();
        Optional<Owner> owner = parent == null ? Optional.empty() : around(files, parent);
        if (owner.isPresent()) {
            throw new BadInputException(
                    "Cannot read data from %s: expected files on their own, found a part of the %s %s, which may hold rows that %s. Name the %s's folder"
                            .formatted(
                                    named,
                                    owner.get().words(),
                                    owner.get().folder(),
                                    owner.get().doubtful(),
                                    owner.get().noun()));
        }
    }

    private Optional<Owner> around(FileSystem files, Path folder) throws IOException {
        Optional<Owner> before = known.get(folder);
        if (before != null) {
            return before;
        }

        Optional<Owner> found = at(files, folder);
        Path parent = folder.getParent();
        if (found.isEmpty() && parent != null) {
            found = around(files, parent);
        }

        known.put(folder, found);
        return found;
    }

    private static Optional<Owner> at(FileSystem files, Path folder) throws IOException {
        for (TableFormat format : TableFormat.values()) {
            if (hasLog(files, format.log(folder))) {
                return Optional.of(Owner.of(format, folder));
            }
        }

        return hasLog(files, SinkFolders.log(folder)) ? Optional.of(Owner.ofSink(folder)) : Optional.empty();
    }

    private static boolean hasLog(FileSystem files, Path log) throws IOException {
        try {
            for (FileStatus file : files.listStatus(log)) {
                if (TableFormat.rootByLog(file.getPath()).isPresent()
                        || SinkFolders.sinkByLog(file.getPath()).isPresent()) {
                    return true;
                }
            }

            return false;
        } catch (FileNotFoundException e) {
            return false;
        } catch (AccessDeniedException | AccessControlException e) {
            return false; // who may read a part of a bucket alone may not look for a table around it
        }
    }
}
