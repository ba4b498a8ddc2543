package org.sparkqlora.storage;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;

/**
 * This host's files as Hadoop sees them. What Hadoop asks a process for, {@code ls} for each file of a listing and {@code chmod} for each that is
 * created, the system answers here.
 */
final class PosixFileSystem extends RawLocalFileSystem {
    /** Of nine permissions and the sticky bit. */
    private static final int MODE = 01777;

    @Override
    public FileStatus getFileStatus(Path path) throws IOException {
        File file = pathToFile(path);
        try {
            Map<String, Object> found = Files.readAttributes(file.toPath(), "unix:*");
            return new FileStatus(
                    (long) found.get("size"),
                    (boolean) found.get("isDirectory"),
                    1,
                    getDefaultBlockSize(path),
                    ((FileTime) found.get("lastModifiedTime")).toMillis(),
                    ((FileTime) found.get("lastAccessTime")).toMillis(),
                    new FsPermission((short) ((int) found.get("mode") & MODE)),
                    String.valueOf(found.get("owner")),
                    String.valueOf(found.get("group")),
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
