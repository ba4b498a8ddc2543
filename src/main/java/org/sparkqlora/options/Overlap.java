package org.sparkqlora.options;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.hadoop.fs.FileSystem;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.checkpoint.hub.HubId;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.cluster.CurrentSession;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.source.WeightedSource;
import org.sparkqlora.storage.StorePath;

/**
 * Refuses inputs inside the folder that a command writes, where a result would replace what it was made from. On this host links are
 * followed, those that a part of the output is included.
 *
 * @param output folder to write
 * @param parts folders in it that are replaced or filled
 */
public record Overlap(Location output, List<String> parts) {
    /** One scheme of S3 names the same objects as another. */
    private static final Pattern S3 = Pattern.compile("s3[an]?");

    private static final Pattern GLOB = Pattern.compile(".*[*?\\[{].*");

    /** A place that a command reads, named by {@code option}. */
    public record Input(String option, @Nullable Location place) {}

    /** Whether {@code input} lies in the output. A model on a hub lies nowhere. */
    public boolean isWith(Location input) {
        return HubId.ofAddress(input.toString()).isEmpty()
                && Stream.concat(Stream.of(output), parts.stream().map(output::resolve))
                        .anyMatch(folder -> holds(folder, input));
    }

    /** Throws an error if {@code input}, which {@code option} named, lies in the output. */
    public void refuse(String option, @Nullable Location input) {
        if (input != null && isWith(input)) {
            throw new BadInputException(
                    "Cannot write to %s: expected every input outside of it, found %s %s in it. Choose another --output"
                            .formatted(output, option, input));
        }
    }

    public void refuse(String option, @Nullable Path input) {
        refuse(option, input == null ? null : Location.of(input));
    }

    /** Refuses data in the output: files, folders and globs, with or without a weight. Tables lie nowhere. */
    public void refuseData(String option, List<String> sources) {
        for (WeightedSource source : WeightedSource.parse(sources)) {
            for (Location place : places(source.place())) {
                refuse(option, place);
            }
        }
    }

    private static List<Location> places(String source) {
        org.apache.hadoop.fs.Path path = StorePath.parse(source);
        try {
            FileSystem files = StorePath.files(path, CurrentSession.hadoop());
            if (!GLOB.matcher(source).matches()) {
                return List.of(new Location(files.makeQualified(path)));
            }

            return StorePath.matches(path, files).stream()
                    .map(match -> new Location(files.makeQualified(match.getPath())))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to look for " + source, e);
        }
    }

    private static boolean holds(Location folder, Location input) {
        if (folder.isLocal() != input.isLocal()) {
            return false;
        }

        return folder.isLocal() ? holdsHere(folder.local(), input.local()) : holdsThere(folder.path(), input.path());
    }

    /** By what the file system says is the same, however it is called. */
    private static boolean holdsHere(Path folder, Path input) {
        try {
            if (!Files.exists(folder) || !Files.exists(input)) {
                return false;
            }

            for (Path at = input.toRealPath(); at != null; at = at.getParent()) {
                if (Files.isSameFile(at, folder)) {
                    return true;
                }
            }

            return false;
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to look for %s in %s".formatted(input, folder), e);
        }
    }

    private static boolean holdsThere(org.apache.hadoop.fs.Path folder, org.apache.hadoop.fs.Path input) {
        String outer = address(folder);
        String inner = address(input);
        return inner.equals(outer) || inner.startsWith(outer + "/");
    }

    private static String address(org.apache.hadoop.fs.Path path) {
        org.apache.hadoop.fs.Path whole = new Location(path).qualified();
        String scheme = S3.matcher(whole.toUri().getScheme()).replaceFirst("s3a");
        return "%s://%s%s"
                .formatted(scheme, whole.toUri().getAuthority(), whole.toUri().getPath());
    }
}
