package org.sparkqlora.checkpoint.hub;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.sparkqlora.storage.DiskRoom;
import org.sparkqlora.storage.NewFolder;
import org.sparkqlora.weights.CompanionFiles;
import org.sparkqlora.weights.FolderCache;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

/**
 * A model's files on any Hadoop file system, copied once to this host's disk, where weights can be mapped into memory. The copy
 * is named after the address and every file's name, length and time of change, so that a changed model is copied anew.
 */
final class ModelCopy {
    private static final String LAYOUT = "copy 1";
    private static final String GGUF = ".gguf";
    private static final String CONFIG = "config.json";
    private static final List<String> WEIGHTS = List.of(".safetensors", ".safetensors.index.json");

    private final FileSystem files;
    private final Path source;
    private final List<FileStatus> content;

    private ModelCopy(FileSystem files, Path source) throws IOException {
        this.files = files;
        this.source = source;
        this.content = content(files, source);
    }

    /**
     * The copy of {@code source} under {@code cache}, made now if it is not there.
     *
     * @return a folder, or a file if the source is a .gguf file
     */
    static java.nio.file.Path of(FileSystem files, Path source, java.nio.file.Path cache) {
        try {
            ModelCopy copy = new ModelCopy(files, source);
            java.nio.file.Path folder =
                    new FolderCache(cache, "cache of copied models").folder(copy.name(), copy::write);
            return isGguf(source) ? folder.resolve(source.getName()) : folder;
        } catch (FileNotFoundException e) {
            throw new InvalidWeightsException(
                    "Cannot open model %s: expected a folder or a .gguf file, found nothing".formatted(source), e);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read model " + source, e);
        }
    }

    private static boolean isGguf(Path path) {
        return path.getName().endsWith(GGUF);
    }

    /** The files of the source that make up the model, by name. */
    private static List<FileStatus> content(FileSystem files, Path source) throws IOException {
        FileStatus status = files.getFileStatus(source);
        if (status.isFile() && isGguf(source)) {
            return List.of(status);
        }

        if (status.isFile()) {
            throw new InvalidWeightsException(
                    "Cannot open model %s: expected a folder or a .gguf file, found another file".formatted(source));
        }

        List<FileStatus> content = Arrays.stream(files.listStatus(source))
                .filter(file -> file.isFile() && isPart(file.getPath().getName()))
                .sorted(Comparator.comparing(file -> file.getPath().getName()))
                .toList();
        if (content.stream().noneMatch(file -> file.getPath().getName().equals(CONFIG))) {
            throw new InvalidWeightsException(
                    "Cannot open model %s: expected a folder with %s, found none in it".formatted(source, CONFIG));
        }

        return content;
    }

    /** Whether a file of that name belongs to a model: no code, no pickles, nothing in folders of its own. */
    static boolean isPart(String name) {
        boolean weights = WEIGHTS.stream().anyMatch(name::endsWith);
        return name.indexOf('/') < 0 && (name.equals(CONFIG) || CompanionFiles.isOne(name) || weights);
    }

    private String name() {
        MessageDigest digest = sha256();
        add(digest, LAYOUT + " " + files.makeQualified(source));
        for (FileStatus file : content) {
            add(
                    digest,
                    String.format(
                            Locale.ROOT,
                            "%s %d %d",
                            file.getPath().getName(),
                            file.getLen(),
                            file.getModificationTime()));
        }

        return HexFormat.of().formatHex(digest.digest(), 0, 16);
    }

    private void write(java.nio.file.Path target) {
        try (NewFolder folder = NewFolder.begin(target)) {
            DiskRoom.require(
                    target, content.stream().mapToLong(FileStatus::getLen).sum());
            for (FileStatus file : content) {
                copy(file, folder.path().resolve(file.getPath().getName()));
            }

            folder.commit();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to copy model %s to %s".formatted(source, target), e);
        }
    }

    private void copy(FileStatus file, java.nio.file.Path target) throws IOException {
        try (InputStream in = files.open(file.getPath())) {
            long length = Files.copy(in, target);
            if (length != file.getLen()) {
                throw new IOException("Failed to copy %s: expected %d bytes, found %d"
                        .formatted(file.getPath(), file.getLen(), length));
            }
        }
    }

    private static void add(MessageDigest digest, String text) {
        digest.update(text.getBytes(StandardCharsets.UTF_8));
        digest.update((byte) 0);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Cannot hash: this Java has no SHA-256", e);
        }
    }
}
