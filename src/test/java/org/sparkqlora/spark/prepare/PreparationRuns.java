package org.sparkqlora.spark.prepare;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.sparkqlora.checkpoint.hub.ModelPlace;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.spark.prepare.PreparationOptions.OnBadRecord;
import org.sparkqlora.spark.prepare.PreparationOptions.Packing;
import org.sparkqlora.storage.ModelCache;
import org.sparkqlora.tokenizer.packing.TokenRow;

/**
 * Preparations of files of numbers.
 *
 * @param folder of all
 * @param source has the files
 * @param target gets the rows
 */
record PreparationRuns(Path folder, Path source, Path target) {
    static final int WIDTH = 16;
    static final PreparationOptions PACKED = new PreparationOptions(WIDTH, Packing.PACKED, OnBadRecord.FAIL);

    static PreparationRuns in(Path folder) throws IOException {
        return new PreparationRuns(folder, Files.createDirectory(folder.resolve("source")), folder.resolve("prepared"));
    }

    PreparedData prepare(PreparationOptions options) {
        return prepare(source.toString(), options);
    }

    PreparedData prepare(String from, PreparationOptions options) {
        return Clusters.on(Clusters.TWO_SLOTS, context -> prepare(context, from, options, target));
    }

    static PreparedData prepare(JavaSparkContext context, String from, PreparationOptions options, Path into) {
        return new DataPreparation(context, null)
                .prepare(List.of(from), new NumbersEncoder("numbers"), options, into.toString());
    }

    TreeMap<String, byte[]> prepareOn(String master, String name) {
        Path into = folder.resolve(name);
        PreparedData data = Clusters.on(master, context -> prepare(context, source.toString(), PACKED, into));
        TreeMap<String, byte[]> bytes = new TreeMap<>();
        bytes.put(Manifest.FILE_NAME, read(into.resolve(Manifest.FILE_NAME)));
        for (PreparedFile file : data.manifest().files()) {
            bytes.put(file.name(), read(into.resolve(file.name())));
        }

        return bytes;
    }

    static List<String> documents(PreparedData data) {
        List<String> documents = new ArrayList<>();
        try (PreparedRows rows = data.reader(new Configuration())) {
            for (long i = 0; i < rows.rows(); i++) {
                TokenRow row = rows.read(i);
                row.documents()
                        .forEach(range -> documents.add(Arrays.stream(row.ids(), range.from(), range.to())
                                .mapToObj(String::valueOf)
                                .collect(Collectors.joining(" "))));
            }
        }

        return documents;
    }

    static List<String> lines(int count, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            lines.add(random.ints(random.nextInt(2, WIDTH + 1), 0, 16)
                    .mapToObj(String::valueOf)
                    .collect(Collectors.joining(" ")));
        }

        return lines;
    }

    void writeLines(String name, List<String> lines) throws IOException {
        Files.write(source.resolve(name), lines);
    }

    Path rowFile(PreparedData data) {
        return target.resolve(data.manifest().files().get(0).name());
    }

    /** A folder that is at the same path on every host. */
    static TokenizerPlace tokenizer(String folder) {
        return new TokenizerPlace(new ModelPlace(folder, Map.of()), ModelCache.ofUser());
    }

    static byte[] read(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
