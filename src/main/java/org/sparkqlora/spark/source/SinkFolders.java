package org.sparkqlora.spark.source;

import java.net.URI;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.SparkSession;
import org.sparkqlora.input.BadInputException;

/**
 * Folders that streaming queries of Spark write into. Beside the files lies a log of those that count: a batch that was done again has
 * left files of its first attempt, too. Driver only.
 */
record SinkFolders(SparkSession session) {
    private static final String LOG = "_spark_metadata";

    /** The sink whose log {@code file} is a part of. */
    static Optional<Path> sinkByLog(Path file) {
        Path parent = file.getParent();
        return parent != null && parent.getName().equals(LOG) ? Optional.of(parent.getParent()) : Optional.empty();
    }

    /** The path of the log of a sink in {@code folder}. */
    static Path log(Path folder) {
        return new Path(folder, LOG);
    }

    /** The files of {@code sink} that count, of all that are {@code there}. */
    Set<Path> counted(Path sink, Set<Path> there) {
        Set<Path> counted = Arrays.stream(logged(sink))
                .map(file -> new Path(URI.create(file)))
                .collect(Collectors.toCollection(TreeSet::new));
        if (counted.isEmpty()) {
            throw new BadInputException(
                    "Cannot read data from %s: expected files there that its log %s names, found none. Of a folder that was copied or moved, the log names the first place: name that, or write the rows anew"
                            .formatted(sink, LOG));
        }

        List<Path> missing =
                counted.stream().filter(file -> !there.contains(file)).toList();
        if (!missing.isEmpty()) {
            throw new BadInputException(
                    "Cannot read data from %s: expected the files that its log %s names, found %d of %d missing, such as %s"
                            .formatted(sink, LOG, missing.size(), counted.size(), missing.get(0)));
        }

        return counted;
    }

    /** Spark reads the log itself, for whatever kind of files; text has a schema without looking into any. */
    private String[] logged(Path sink) {
        return session.read().format("text").load(sink.toString()).inputFiles();
    }
}
