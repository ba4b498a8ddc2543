package org.sparkqlora.storage;

import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FsConstants;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.RawLocalFileSystem;

/** This host's files: as Hadoop sees them, and as they are written whole. */
public final class LocalFiles {
    public static final String SCHEME = "file";

    /** Hadoop parses its files of defaults again for each of these, which takes longer than most work on a small file. */
    private static final Configuration SETTINGS = new Configuration();

    private LocalFiles() {}

    /** Without Hadoop's hidden checksum files, which would make an edited file unreadable and clutter an adapter's folder. */
    public static FileSystem system() {
        try {
            return withChecksums(SETTINGS).getRawFileSystem();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to open the local file system", e);
        }
    }

    /** Hadoop's local file system with its checksum files. It starts no process. */
    static LocalFileSystem withChecksums(Configuration settings) throws IOException {
        LocalFileSystem files = new LocalFileSystem(new PosixFileSystem());
        files.initialize(FsConstants.LOCAL_FS_URI, settings);
        return files;
    }

    public static org.apache.hadoop.fs.Path path(Path local) {
        return new org.apache.hadoop.fs.Path(
                SCHEME, null, local.toAbsolutePath().normalize().toUri().getPath());
    }

    /** Writes lines to {@code file}, whole; a file that is there is replaced. */
    public static void replace(Path file, List<String> lines) throws IOException {
        Path fresh = fresh(file);
        try {
            Files.write(fresh, lines);
            rename(fresh, file);
        } finally {
            remove(fresh);
        }
    }

    /** Work that writes a text as it goes. */
    @FunctionalInterface
    public interface Writing<T> {
        T to(BufferedWriter out) throws IOException;
    }

    /**
     * Does {@code work}, whose text is then the whole {@code file}; a file that is there is replaced, and its folder need not be: one
     * that was made for it goes again where the work fails.
     */
    public static <T> T replaceBy(Path file, Writing<T> work) throws IOException {
        Path fresh = fresh(file);
        CreatedFiles folders = new CreatedFiles(system());
        try (Unfinished begun = Unfinished.begin(() -> remove(fresh, folders))) {
            begin(file, folders);
            T done = write(fresh, work);
            force(fresh);
            begun.keep();
            rename(fresh, file);
            return done;
        } finally {
            remove(fresh, folders);
        }
    }

    /** Makes the folder of {@code file}, and removes what processes that died had begun to write as that file. */
    private static void begin(Path file, CreatedFiles folders) throws IOException {
        folders.createFolder(path(file).getParent());
        WholeFile.sweepAbandoned(system(), path(file));
    }

    /** Also the folders that were made for it, where nothing is in them. */
    private static void remove(Path fresh, CreatedFiles folders) throws IOException {
        remove(fresh);
        folders.remove();
    }

    private static <T> T write(Path fresh, Writing<T> work) throws IOException {
        try (BufferedWriter out = Files.newBufferedWriter(fresh)) {
            return work.to(out);
        }
    }

    /** Writes lines to {@code file}, whole; it must not exist, and its folder need not. */
    public static void create(Path file, Iterable<String> lines) throws IOException {
        Path fresh = fresh(file);
        CreatedFiles folders = new CreatedFiles(system());
        try {
            begin(file, folders);
            Files.write(fresh, lines);
            force(fresh);
            Files.move(fresh, file);
            force(fresh.resolveSibling("."));
        } finally {
            remove(fresh, folders);
        }
    }

    /** Returns once the disk has what a file holds, or which names a folder has: it is there after a loss of power, too. */
    static void force(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    /** Gives a file that is whole its name, in place of one that is there. */
    public static void rename(Path fresh, Path file) throws IOException {
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** Whether {@code files} are those of this host, with checksums or without. */
    static boolean are(FileSystem files) {
        return files instanceof RawLocalFileSystem || files instanceof LocalFileSystem;
    }

    /** Makes a file in {@code folder} and removes it again: permissions alone do not tell of a disk that is full or that nobody may write. */
    public static void probe(Path folder) throws IOException {
        remove(Files.createTempFile(folder, ".writable-", ""));
    }

    static boolean isFolder(org.apache.hadoop.fs.Path path) {
        return Files.isDirectory(Path.of(path.toUri().getPath()));
    }

    /** Whether {@code path} leads to another place of this host. */
    static boolean isLink(FileSystem files, org.apache.hadoop.fs.Path path) {
        return are(files) && Files.isSymbolicLink(Path.of(path.toUri().getPath()));
    }

    /** Deletes a file, a link, or a folder that is empty, if it is there. */
    public static void remove(Path path) throws IOException {
        Files.deleteIfExists(path);
    }

    /** A name of this write alone: two processes may write the same file. */
    private static Path fresh(Path file) {
        return file.toAbsolutePath()
                .normalize()
                .resolveSibling(".%s.%s".formatted(file.getFileName(), UUID.randomUUID()));
    }
}
