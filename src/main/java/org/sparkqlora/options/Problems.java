package org.sparkqlora.options;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.cluster.Location;

/** All that is wrong with the options of a command, so that one run tells everything. */
public final class Problems {
    private final List<String> found = new ArrayList<>();

    /** Notes what {@code make} complains about; empty if it did. */
    public <T> Optional<T> collect(String option, Supplier<T> make) {
        try {
            return Optional.of(make.get());
        } catch (IllegalArgumentException e) {
            add("%s: %s".formatted(option, e.getMessage()));
            return Optional.empty();
        }
    }

    public void require(boolean holds, String message, @Nullable Object... values) {
        if (!holds) {
            add(String.format(Locale.ROOT, message, values));
        }
    }

    public void requireAtLeast(String option, long least, long found) {
        require(found >= least, "%s: expected at least %d, found %d", option, least, found);
    }

    /** A missing required option is the parser's to report. */
    public void requireFolder(String option, @Nullable Path folder) {
        require(
                folder == null || Files.isDirectory(folder),
                "%s: Cannot open folder %s: expected a folder, found %s",
                option,
                folder,
                folder != null && Files.exists(folder) ? "a file" : "nothing");
    }

    /** A folder on another file system is looked for when it is read. */
    public void requireFolder(String option, @Nullable Location folder) {
        requireFolder(option, folder == null || !folder.isLocal() ? null : folder.local());
    }

    /** Nothing may be where a result goes. */
    public void requireAbsent(String option, @Nullable Path target) {
        require(
                target == null || !Files.exists(target),
                "%s: Cannot write %s: expected a folder that does not exist yet, found one",
                option,
                target);
    }

    /** On another file system nothing is looked for. */
    public void requireAbsent(String option, @Nullable Location target) {
        requireAbsent(option, target == null || !target.isLocal() ? null : target.local());
    }

    /** Files are made in a folder that this user may write, or that is made below one. */
    public void requirePlaceForFolder(String option, @Nullable Path folder) {
        if (folder != null) {
            requireWritable(option, folder, folder);
        }
    }

    /** One that holds something may hold already what would be written. */
    public void requirePlaceOrContent(String option, @Nullable Path folder) {
        if (folder != null && !isFilled(folder)) {
            requireWritable(option, folder, folder);
        }
    }

    private static boolean isFilled(Path folder) {
        if (!Files.isDirectory(folder)) {
            return false;
        }

        try (Stream<Path> content = Files.list(folder)) {
            return content.findAny().isPresent();
        } catch (IOException e) {
            return false; // of another user, who lets nobody look into it
        }
    }

    /** A file is made in a folder that this user may write, or that is made below one. */
    public void requirePlaceForFile(String option, @Nullable Path file) {
        Path folder = file == null ? null : file.toAbsolutePath().getParent();
        if (file != null && folder != null) {
            requireWritable(option, file, folder);
        }
    }

    private void requireWritable(String option, Path target, Path folder) {
        Path there = folder.toAbsolutePath();
        while (!Files.exists(there) && there.getParent() != null) {
            there = there.getParent();
        }

        require(
                Files.isDirectory(there) && Files.isWritable(there),
                "%s: Cannot write to %s: expected a folder that this user may write, found %s",
                option,
                target,
                Files.isDirectory(there) ? "no permission to write " + there : "a file");
    }

    /** On another file system nothing is looked for. */
    public void requirePlaceForFolder(String option, @Nullable Location folder) {
        requirePlaceForFolder(option, folder == null || !folder.isLocal() ? null : folder.local());
    }

    /** On another file system nothing is looked for. */
    public void requirePlaceOrContent(String option, @Nullable Location folder) {
        requirePlaceOrContent(option, folder == null || !folder.isLocal() ? null : folder.local());
    }

    /** On another file system nothing is looked for. */
    public void requirePlaceForFile(String option, @Nullable Location file) {
        requirePlaceForFile(option, file == null || !file.isLocal() ? null : file.local());
    }

    /** A file on this host that an option writes again must be one that the option has written before: it begins so. */
    public void requireOwn(String option, @Nullable Path file, String beginning) {
        requirePlaceForFile(option, file);
        require(
                file == null || !Files.exists(file) || isOwn(file, beginning),
                "%s: Cannot replace %s: expected no file, or one that this option has written, found another",
                option,
                file);
    }

    private static boolean isOwn(Path file, String beginning) {
        if (!Files.isRegularFile(file)) {
            return false; // a folder, a device, a pipe
        }

        byte[] expected = beginning.getBytes(StandardCharsets.UTF_8);
        try (InputStream in = Files.newInputStream(file)) {
            byte[] found = in.readNBytes(expected.length);
            return found.length == 0 || Arrays.equals(found, expected);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read " + file, e);
        }
    }

    public void requireFile(String option, @Nullable Path file) {
        require(
                file == null || Files.isRegularFile(file),
                "%s: Cannot open file %s: expected a file, found %s",
                option,
                file,
                file != null && Files.isDirectory(file) ? "a folder" : "nothing");
    }

    public void add(String problem) {
        found.add(problem);
    }

    public List<String> all() {
        return List.copyOf(found);
    }

    /** Throws a {@link BadInputException} that names all there are, if any. */
    public void requireNone() {
        if (found.size() == 1) {
            throw new BadInputException(found.get(0));
        }

        if (!found.isEmpty()) {
            throw new BadInputException("%d problems\n  %s".formatted(found.size(), String.join("\n  ", found)));
        }
    }
}
