package org.sparkqlora.spark;

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

/** Finds out whether data files belong to a table, which alone knows the ones that count. Driver only. */
final class TableFolders {
    private final Map<Path, Optional<TableFormat.Root>> known = new HashMap<>();

    /** Refuses what lies inside a table. */
    void requireOutside(FileSystem files, Path named) throws IOException {
        Path parent = named.getParent();
        Optional<TableFormat.Root> table = parent == null ? Optional.empty() : around(files, parent);
        if (table.isPresent()) {
            throw new BadInputException(
                    "Cannot read data from %s: expected files on their own, found a part of the %s table %s, which may hold rows that were deleted or replaced. Name the table's folder"
                            .formatted(
                                    named,
                                    table.get().format().words(),
                                    table.get().folder()));
        }
    }

    private Optional<TableFormat.Root> around(FileSystem files, Path folder) throws IOException {
        Optional<TableFormat.Root> before = known.get(folder);
        if (before != null) {
            return before;
        }

        Optional<TableFormat.Root> found = at(files, folder);
        Path parent = folder.getParent();
        if (found.isEmpty() && parent != null) {
            found = around(files, parent);
        }

        known.put(folder, found);
        return found;
    }

    private static Optional<TableFormat.Root> at(FileSystem files, Path folder) throws IOException {
        for (TableFormat format : TableFormat.values()) {
            if (hasLog(files, format.log(folder))) {
                return Optional.of(new TableFormat.Root(format, folder));
            }
        }

        return Optional.empty();
    }

    private static boolean hasLog(FileSystem files, Path log) throws IOException {
        try {
            for (FileStatus file : files.listStatus(log)) {
                if (TableFormat.rootByLog(file.getPath()).isPresent()) {
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
