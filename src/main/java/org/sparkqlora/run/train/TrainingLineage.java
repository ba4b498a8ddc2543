package org.sparkqlora.run.train;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.apache.hadoop.fs.ContentSummary;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkConf;
import org.sparkqlora.checkpoint.AdapterFolder;
import org.sparkqlora.checkpoint.hub.HubId;
import org.sparkqlora.model.Method;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.LineageOptions.Lineage;
import org.sparkqlora.options.TrainOptions;
import org.sparkqlora.run.output.RunFiles;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.lineage.LineageDataset;
import org.sparkqlora.spark.lineage.LineageFacts;
import org.sparkqlora.spark.lineage.LineageRun;
import scala.Tuple2;

/** A training run as OpenLineage sees it: base, adapter and data go in, an adapter or a model comes out. Driver only. */
record TrainingLineage(TrainOptions options, TrainingSetup setup, Console console) {
    private static final String SETTINGS = "spark.openlineage.";
    private static final String HUB = "https://huggingface.co";

    /** Does the work of the run, told to OpenLineage where that is asked for. */
    Trained follow(Supplier<Trained> work) {
        return options.run
                .lineage
                .open(settings(), options.run.name() + ".train")
                .map(lineage -> start(lineage).follow(work, trained -> List.of(written())))
                .orElseGet(work);
    }

    private LineageRun start(Lineage lineage) {
        LineageFacts facts = new LineageFacts(
                lineage.job(), "TRAIN", lineage.parent(), setup.context().version(), version(), inputs());
        return LineageRun.start(
                lineage.sink(), facts, List.of(output()), Clock.systemUTC(), line -> console.note("%s", line));
    }

    private static String version() {
        return Objects.requireNonNullElse(TrainingLineage.class.getPackage().getImplementationVersion(), "unpackaged");
    }

    private Map<String, String> settings() {
        Map<String, String> settings = new HashMap<>();
        SparkConf conf = setup.context().getConf();
        for (Tuple2<String, String> setting : conf.getAllWithPrefix(SETTINGS)) {
            settings.put(setting._1(), setting._2());
        }

        return settings;
    }

    private List<LineageDataset> inputs() {
        List<LineageDataset> inputs = new ArrayList<>();
        inputs.add(base());
        Location initial = setup.inputs().start().folder();
        if (initial != null) {
            inputs.add(at(initial).withVersion(AdapterFolder.hash(initial.files(), initial.path())));
        }

        inputs.addAll(setup.preparation().lineage(options.data.sources));
        if (!options.evaluation.heldOut.isEmpty()) {
            inputs.addAll(setup.preparation().lineage(options.evaluation.heldOut));
        }

        return inputs;
    }

    private LineageDataset base() {
        String address = options.model.address();
        return HubId.ofAddress(address)
                .map(hub -> LineageDataset.named(HUB, hub.name()).withVersion(hub.revision()))
                .orElseGet(() -> at(Location.parse(address)));
    }

    private Location folder() {
        return options.run.output().resolve(options.model.method == Method.FULL ? RunFiles.MODEL : RunFiles.ADAPTER);
    }

    private LineageDataset output() {
        return at(folder());
    }

    /** With the hash of an adapter as its version; that of a whole model would take as long as reading it. */
    private LineageDataset written() {
        Location folder = folder();
        Path path = folder.path();
        try {
            ContentSummary content = folder.files().getContentSummary(path);
            String hash = options.model.method == Method.FULL ? null : AdapterFolder.hash(folder.files(), path);
            return output().written(hash, new LineageDataset.Size(content.getLength(), (int) content.getFileCount()));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to measure " + folder, e);
        }
    }

    private static LineageDataset at(Location place) {
        URI address = place.qualified().toUri();
        return LineageDataset.at(address);
    }
}
