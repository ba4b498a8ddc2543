package org.sparkqlora.spark;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;

/**
 * Makes fixed-width rows of JSON lines, as a Spark job. Driver only.
 *
 * <p>The rows do not depend on the cluster: files are sorted by path, lines numbered through, and groups of a fixed number
 * of lines are packed on their own, each into its own file. What was prepared before from the same sources in the same way
 * is used again; else new files are written beside the old ones, and the manifest, written last, changes over to them.
 */
public final class DataPreparation {
    /** Part of every fingerprint: raise it when the same input gives other rows. */
    private static final String RULES = "spark-qlora rows 1";

    private static final int PREFIX_LENGTH = 12;

    private final JavaSparkContext context;
    private final Configuration configuration;

    public DataPreparation(JavaSparkContext context) {
        this.context = context;
        this.configuration = context.hadoopConfiguration();
    }

    /** Prepares {@code sources} (files, folders or globs) into {@code folder}, unless that is done already. */
    public PreparedData prepare(
            List<String> sources, LineEncoderSource encoders, PreparationOptions options, String folder) {
        List<SourceFile> files = new SourceListing(configuration).list(sources);
        String fingerprint = fingerprintOf(files, encoders, options);
        Optional<PreparedData> before = PreparedData.find(folder, configuration)
                .filter(data -> data.manifest().fingerprint().equals(fingerprint))
                .filter(data -> data.isWhole(configuration));
        return before.orElseGet(() -> prepareAnew(files, encoders, options, folder, fingerprint));
    }

    /** What the manifest of {@code sources} will be known by, without making rows. */
    public String fingerprint(List<String> sources, LineEncoderSource encoders, PreparationOptions options) {
        return fingerprintOf(new SourceListing(configuration).list(sources), encoders, options);
    }

    private PreparedData prepareAnew(
            List<SourceFile> files,
            LineEncoderSource encoders,
            PreparationOptions options,
            String folder,
            String fingerprint) {
        String prefix = "rows-" + fingerprint.substring(0, PREFIX_LENGTH);
        Broadcast<SerializableConfiguration> hadoop = context.broadcast(new SerializableConfiguration(configuration));
        PreparedFolder target = new PreparedFolder(folder, configuration);
        try {
            List<GroupResult> results =
                    encode(groups(files, hadoop), new GroupTask(encoders, options, folder, prefix, hadoop));
            return target.publish(manifest(files, results, options, fingerprint));
        } catch (Exception e) {
            // Spark throws a lost job as a checked exception that no signature declares.
            target.discard(prefix, e);
            throw e;
        } finally {
            context.setJobDescription(null);
            hadoop.destroy();
        }
    }

    private List<GroupResult> encode(List<LineGroup> groups, GroupTask task) {
        context.setJobDescription("prepare: encode and pack %d groups of lines".formatted(groups.size()));
        return parallel(groups).map(task).collect();
    }

    private List<LineGroup> groups(List<SourceFile> files, Broadcast<SerializableConfiguration> hadoop) {
        List<SourceSplit> splits =
                files.stream().flatMap(file -> SourceSplit.of(file).stream()).toList();
        context.setJobDescription("prepare: count the lines of %d files".formatted(files.size()));
        return LineGroup.cut(
                splits, parallel(splits).map(new CountLines(hadoop)).collect());
    }

    private <T> JavaRDD<T> parallel(List<T> values) {
        return context.parallelize(values, Math.max(1, values.size()));
    }

    private static Manifest manifest(
            List<SourceFile> files, List<GroupResult> results, PreparationOptions options, String fingerprint) {
        results.stream()
                .flatMap(result -> result.bad().stream())
                .min(Comparator.comparing(BadLine::path).thenComparing(BadLine::line))
                .ifPresent(DataPreparation::refuse);
        PreparationCounts counts =
                results.stream().map(GroupResult::counts).reduce(PreparationCounts.NONE, PreparationCounts::plus);
        if (counts.rows() == 0) {
            throw new IllegalArgumentException(
                    "Cannot train on %s: expected an example with a trained token, found none in %d files (%d examples without one, %d bad records)"
                            .formatted(files.get(0).path(), files.size(), counts.untrained(), counts.bad()));
        }

        List<PreparedFile> written = results.stream()
                .sorted(Comparator.comparing(GroupResult::group))
                .map(GroupResult::file)
                .filter(Objects::nonNull)
                .toList();
        return new Manifest(fingerprint, options.width(), written, counts);
    }

    private static void refuse(BadLine bad) {
        throw new IllegalArgumentException("Cannot prepare %s:%d: %s".formatted(bad.path(), bad.line(), bad.problem()));
    }

    private static String fingerprintOf(
            List<SourceFile> files, LineEncoderSource encoders, PreparationOptions options) {
        StringBuilder text = new StringBuilder(RULES).append('\n');
        text.append(encoders.fingerprint()).append('\n').append(options).append('\n');
        for (SourceFile file : files) {
            text.append(file).append('\n');
        }

        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            return HexFormat.of().formatHex(digest.digest(text.toString().getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Cannot find SHA-256 in this Java", e);
        }
    }
}
