package org.sparkqlora.storage;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;

/**
 * This host's files as Hadoop sees them, by calls of the system. Hadoop's own starts {@code ls} for each file of a listing and {@code chmod} for
 * each that it creates.
 */
final class PosixFileSystem extends RawLocalFileSystem {
    /** Without the names of owner and group: nobody asks for them, and a directory of users may be far away. */
    @Override
    public FileStatus getFileStatus(Path path) throws IOException {
        File file = pathToFile(path);
        try {
            PosixFileAttributes found = Files.readAttributes(file.toPath(), PosixFileAttributes.class);
            return new FileStatus(
                    found.size(),
                    found.isDirectory(),
                    1,
                    getDefaultBlockSize(path),
                    found.lastModifiedTime().toMillis(),
                    found.lastAccessTime().toMillis(),
                    FsPermission.valueOf("-" + PosixFilePermissions.toString(found.permissions())),
                    null,
                    null,
                    new Path(file.getPath()).makeQualified(getUri(), getWorkingDirectory()));
        } catch (IOException | InvalidPathException | UnsupportedOperationException e) {
            return super.getFileStatus(path); // which says the same, or why not, in Hadoop's words
        }
    }

    @Override
    public void setPermission(Path path, FsPermission permission) throws IOException {
        if (permission.getStickyBit()) {
            super.setPermission(path, permission);
            return;
        }

        try {
            Files.setPosixFilePermissions(
                    pathToFile(path).toPath(), PosixFilePermissions.fromString(permission.toString()));
        } catch (IOException | InvalidPathException | UnsupportedOperationException e) {
            super.setPermission(path, permission);
        }
    }
}
