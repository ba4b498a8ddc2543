package org.sparkqlora.checkpoint.hub;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.checkpoint.PublishedFiles;
import org.sparkqlora.storage.DamagedFileException;
import org.sparkqlora.storage.RangedFetch;
import org.sparkqlora.storage.Sha256;
import org.sparkqlora.storage.StoreFolder;
import org.sparkqlora.storage.StoredFile;
import org.sparkqlora.weights.CompanionFiles;
import org.sparkqlora.weights.FolderCache;
import org.sparkqlora.weights.family.ModelConfigJson;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

/**
 * A model's files on any Hadoop file system, copied once to this host's disk, where weights can be mapped into memory. The copy
 * is named after the address and every file's name, length and time of change, so that a changed model is copied anew. The copy of a published
 * folder is named after the hashes in {@code published.json}, and each file is compared with its own.
 */
final class ModelCopy {
    private static final String LAYOUT = "copy 1";
    private static final String PUBLISHED_LAYOUT = "published 1";
    private static final int NAME_DIGITS = 32;
    private static final String GGUF = ".gguf";
    private static final List<String> WEIGHTS = List.of(".safetensors", ".safetensors.index.json");

    private final FileSystem files;
    private final Path source;
    private final List<FileStatus> content;
    private final Optional<PublishedFiles> published;

    private ModelCopy(FileSystem files, Path source) throws IOException {
        this.files = files;
        this.source = source;
        List<FileStatus> all = content(files, source);
        this.published = isGguf(source) ? Optional.empty() : PublishedFiles.find(files, source);
        Optional<Set<String>> names = published.map(ModelCopy::names);
        this.content = all.stream()
                .filter(file ->
                        names.isEmpty() || names.get().contains(file.getPath().getName()))
                .toList();
        if (published.isPresent()) {
            requireAll(published.get());
        }
    }

    private static Set<String> names(PublishedFiles published) {
        return published.files().stream().map(StoredFile::name).collect(Collectors.toSet());
    }

    /** What is published is there, of the same length: the hashes are compared once it is copied. */
    private void requireAll(PublishedFiles expected) {
        SortedMap<String, Long> found = lengths();
        for (StoredFile file : expected.files()) {
            Long length = found.get(file.name());
            if (isPart(file.name()) && (length == null || length != file.bytes())) {
                throw new InvalidWeightsException(
                        "Cannot open model %s: expected %s of %d bytes as its published.json says, found %s"
                                .formatted(
                                        source,
                                        file.name(),
                                        file.bytes(),
                                        length == null ? "none" : length + " bytes"));
            }
        }
    }

    /** A name that changes when the model does. */
    static String identity(FileSystem files, Path source) {
        return find(files, source).name();
    }

    /**
     * The copy of {@code source} under {@code cache}, made now if it is not there.
     *
     * @return a folder, or a file if the source is a .gguf file
     */
    static java.nio.file.Path of(FileSystem files, Path source, java.nio.file.Path cache) {
        ModelCopy copy = find(files, source);
        java.nio.file.Path folder = new FolderCache(cache, "cache of copied models").folder(copy.name(), copy::write);
        return isGguf(source) ? folder.resolve(source.getName()) : folder;
    }

    private static ModelCopy find(FileSystem files, Path source) {
        try {
            return new ModelCopy(files, source);
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
        if (content.stream().noneMatch(file -> file.getPath().getName().equals(ModelConfigJson.FILE_NAME))) {
            throw new InvalidWeightsException("Cannot open model %s: expected a folder with %s, found none in it"
                    .formatted(source, ModelConfigJson.FILE_NAME));
        }

        return content;
    }

    /** Whether a file of that name belongs to a model: no code, no pickles, nothing in folders of its own. */
    static boolean isPart(String name) {
        boolean weights = WEIGHTS.stream().anyMatch(name::endsWith);
        return name.indexOf('/') < 0
                && (name.equals(ModelConfigJson.FILE_NAME) || CompanionFiles.isOne(name) || weights);
    }

    private String name() {
        MessageDigest digest = Sha256.digest();
        if (published.isPresent()) {
            add(digest, PUBLISHED_LAYOUT);
            published.get().files().forEach(file -> add(digest, file.toString())); // wherever they lie
        } else {
            add(digest, LAYOUT + " " + files.makeQualified(source));
            content.forEach(file -> add(
                    digest,
                    String.format(
                            Locale.ROOT,
                            "%s %d %d",
                            file.getPath().getName(),
                            file.getLen(),
                            file.getModificationTime())));
        }

        return Sha256.hex(digest).substring(0, NAME_DIGITS);
    }

    private void write(java.nio.file.Path target) {
        StoreFolder from = new StoreFolder(files, folder());
        Map<String, String> hashes = hashes();
        FetchedFolder.Check check = (name, part) -> verify(from.address(name), part, hashes.get(name));
        try {
            new FetchedFolder(new RangedFetch(from), lengths(), check).write(target);
        } catch (DamagedFileException e) {
            throw new InvalidWeightsException(String.valueOf(e.getMessage()), e);
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "Failed to copy model %s to %s; what is here already is kept".formatted(source, target), e);
        }
    }

    /** What was not published has no hash. */
    private static void verify(String address, java.nio.file.Path part, @Nullable String expected) throws IOException {
        String found = expected == null ? null : StoredFile.hash(part);
        if (!Objects.equals(found, expected)) {
            throw new DamagedFileException(
                    "Cannot trust %s: expected SHA-256 %s as published.json says, found %s. It was damaged or replaced: publish it anew"
                            .formatted(address, expected, found));
        }
    }

    private Path folder() {
        return isGguf(source) ? source.getParent() : source;
    }

    private SortedMap<String, Long> lengths() {
        SortedMap<String, Long> lengths = new TreeMap<>();
        content.forEach(file -> lengths.put(file.getPath().getName(), file.getLen()));
        return lengths;
    }

    private Map<String, String> hashes() {
        return published.stream()
                .flatMap(found -> found.files().stream())
                .collect(Collectors.toMap(StoredFile::name, StoredFile::sha256));
    }

    private static void add(MessageDigest digest, String text) {
        digest.update(text.getBytes(StandardCharsets.UTF_8));
        digest.update((byte) 0);
    }
}
