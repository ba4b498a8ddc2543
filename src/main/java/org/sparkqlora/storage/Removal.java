package org.sparkqlora.storage;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.util.List;
import java.util.function.Predicate;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Deletes files by name, and folders only while they are empty. Nothing is deleted with all that is in it: a file that somebody else
 * has put there in the meantime stays, and so do the folders that lead to it.
 */
public final class Removal {
    private Removal() {}

    /** Deletes a file; false if there is none, or a folder. */
    public static boolean file(FileSystem files, Path file) throws IOException {
        try {
            return !files.getFileStatus(file).isDirectory() && files.delete(file, false);
        } catch (FileNotFoundException e) {
            return false;
        }
    }

    /** Deletes the files of {@code folder} that {@code chosen} names. */
    public static void filesIn(FileSystem files, Path folder, Predicate<String> chosen) throws IOException {
        all(files, named(files, folder, chosen));
    }

    /** Deletes files, several at once. One that is gone already is no failure. */
    public static void all(FileSystem files, List<Path> gone) throws IOException {
        StoreRequests.all(gone, file -> files.delete(file, false));
    }

    /** The files of {@code folder} that {@code chosen} names, from one listing. */
    public static List<Path> named(FileSystem files, Path folder, Predicate<String> chosen) throws IOException {
        return StorePath.content(files, folder).stream()
                .filter(entry -> !entry.isDirectory())
                .map(FileStatus::getPath)
                .filter(file -> chosen.test(file.getName()))
                .toList();
    }

    /** Deletes the files of {@code folder} that {@code chosen} names, and the folder if it is empty then. */
    public static void folder(FileSystem files, Path folder, Predicate<String> chosen) throws IOException {
        filesIn(files, folder, chosen);
        emptyFolder(files, folder);
    }

    /** Deletes {@code folder} if nothing is in it; false if it stays. */
    public static boolean emptyFolder(FileSystem files, Path folder) throws IOException {
        if (LocalFiles.are(files)) {
            return emptyFolder(java.nio.file.Path.of(folder.toUri().getPath()));
        }

        if (!StorePath.content(files, folder).isEmpty()) {
            return false;
        }

        try {
            return files.delete(folder, false);
        } catch (IOException e) {
            if (!StorePath.content(files, folder).isEmpty()) {
                return false;
            }

            throw e;
        }
    }

    /** Hadoop's own way lists first and then deletes whatever came in between. */
    private static boolean emptyFolder(java.nio.file.Path folder) throws IOException {
        try {
            return Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS) && Files.deleteIfExists(folder);
        } catch (DirectoryNotEmptyException e) {
            return false;
        }
    }
}
