package org.sparkqlora.spark.source;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.hadoop.fs.GlobPattern;
import org.sparkqlora.input.FileNames;

/** Refuses sources on this host with names that this process cannot decode: Hadoop leaves them out without a word. */
record LocalNames(FileNames names) {
    private static final Pattern GLOB = Pattern.compile("[*?{\\[\\\\]");

    /** Checks all that {@code path}, which may be a glob, names. */
    void require(String path) throws IOException {
        names.requireWritable(path);
        List<String> parts = Arrays.asList(path.split("/", -1));
        int fixed = 0;
        while (fixed < parts.size() && !GLOB.matcher(parts.get(fixed)).find()) {
            fixed++;
        }

        Path start = Path.of("/" + String.join("/", parts.subList(0, fixed)));
        require(start, parts.subList(fixed, parts.size()));
    }

    /** Nothing for a part of a group of several folders, such as <code>{a/b,c}</code>, and for what is no glob. */
    private static Optional<GlobPattern> pattern(String part) {
        try {
            return Optional.of(new GlobPattern(part));
        } catch (RuntimeException e) { // of a library that Hadoop brings under several names
            return Optional.empty();
        }
    }

    private void require(Path at, List<String> patterns) throws IOException {
        if (!Files.isDirectory(at)) {
            return;
        }

        if (patterns.isEmpty()) {
            names.requireDecodedBelow(at);
            return;
        }

        Optional<GlobPattern> pattern = pattern(patterns.get(0));
        if (pattern.isEmpty()) {
            return; // whoever lists tells what is wrong
        }

        try (DirectoryStream<Path> inside = Files.newDirectoryStream(at)) {
            for (Path each : inside) {
                if (pattern.get().matches(each.getFileName().toString())) {
                    names.requireDecoded(each);
                    require(each, patterns.subList(1, patterns.size()));
                }
            }
        }
    }
}
