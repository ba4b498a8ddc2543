package org.sparkqlora.run.output;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.hadoop.fs.ContentSummary;
import org.apache.spark.SparkConf;
import org.apache.spark.package$;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.checkpoint.AdapterFolder;
import org.sparkqlora.checkpoint.hub.HubId;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.LineageOptions;
import org.sparkqlora.options.LineageOptions.Lineage;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.lineage.LineageDataset;
import org.sparkqlora.spark.lineage.LineageFacts;
import org.sparkqlora.spark.lineage.LineageRun;
import scala.Tuple2;

/**
 * A command that OpenLineage is told of, where that is asked for. Driver only.
 *
 * @param settings of Spark
 */
public record CommandLineage(LineageOptions options, SparkConf settings, Console console) {
    private static final String SETTINGS = "spark.openlineage.";
    private static final String HUB = "https://huggingface.co";

    /**
     * The work of a command.
     *
     * @param output that it belongs to, whose name is the job's
     * @param command such as {@code train}
     * @param inputs that it reads
     * @param outputs that it will write, as far as they can be named before
     */
    public record Work(
            String output, String command, Supplier<List<LineageDataset>> inputs, List<LineageDataset> outputs) {
        public Work {
            outputs = List.copyOf(outputs);
        }
    }

    /**
     * Does {@code work}.
     *
     * @param written is what it has written
     */
    public <T> T follow(Work told, Supplier<T> work, Function<T, LineageDataset> written) {
        return options.open(prefixed(), told.output() + "." + told.command())
                .map(lineage -> start(lineage, told).follow(work, done -> List.of(written.apply(done))))
                .orElseGet(work);
    }

    private LineageRun start(Lineage lineage, Work told) {
        LineageFacts facts = new LineageFacts(
                lineage.job(),
                told.command().toUpperCase(Locale.ROOT),
                lineage.parent(),
                package$.MODULE$.SPARK_VERSION(),
                version(),
                told.inputs().get());
        return LineageRun.start(
                lineage.sink(), facts, told.outputs(), Clock.systemUTC(), line -> console.note("%s", line));
    }

    private static String version() {
        return Objects.requireNonNullElse(CommandLineage.class.getPackage().getImplementationVersion(), "unpackaged");
    }

    private Map<String, String> prefixed() {
        Map<String, String> found = new HashMap<>();
        for (Tuple2<String, String> setting : settings.getAllWithPrefix(SETTINGS)) {
            found.put(setting._1(), setting._2());
        }

        return found;
    }

    /** A model at an address, with the commit of one on a hub. */
    public static LineageDataset model(String address) {
        return HubId.ofAddress(address)
                .map(hub -> LineageDataset.named(HUB, hub.name()).withVersion(hub.revision()))
                .orElseGet(() -> at(Location.parse(address)));
    }

    /** An adapter that is there, with its hash. */
    public static LineageDataset adapter(Location folder) {
        return at(folder).withVersion(AdapterFolder.hash(folder.files(), folder.path()));
    }

    public static LineageDataset at(Location place) {
        return LineageDataset.at(place.qualified().toUri());
    }

    /**
     * What was written to a place.
     *
     * @param version of it; null where finding one takes as long as reading it
     */
    public static LineageDataset written(Location place, @Nullable String version) {
        try {
            ContentSummary content = place.files().getContentSummary(place.path());
            return at(place)
                    .written(version, new LineageDataset.Size(content.getLength(), (int) content.getFileCount()));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to measure " + place, e);
        }
    }
}
