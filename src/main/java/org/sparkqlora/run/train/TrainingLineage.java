package org.sparkqlora.run.train;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.sparkqlora.checkpoint.AdapterFolder;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.TrainOptions;
import org.sparkqlora.run.output.CommandLineage;
import org.sparkqlora.run.output.RunFiles;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.lineage.LineageDataset;

/** A training run as OpenLineage sees it: base, adapter and data go in, an adapter or a model comes out. Driver only. */
record TrainingLineage(TrainOptions options, TrainingSetup setup, Console console) {
    /** Does the work of the run, told to OpenLineage where that is asked for. */
    Trained follow(Supplier<Trained> work) {
        CommandLineage.Work told = new CommandLineage.Work(
                options.run.name(), "train", this::inputs, List.of(CommandLineage.at(folder())));
        return new CommandLineage(options.run.lineage, setup.context().getConf(), console)
                .follow(told, work, trained -> written());
    }

    private List<LineageDataset> inputs() {
        List<LineageDataset> inputs = new ArrayList<>();
        inputs.add(CommandLineage.model(options.model.address()));
        Location initial = setup.inputs().start().folder();
        if (initial != null) {
            inputs.add(CommandLineage.adapter(initial));
        }

        inputs.addAll(setup.preparation().lineage(options.data.sources));
        if (!options.evaluation.heldOut.isEmpty()) {
            inputs.addAll(setup.preparation().lineage(options.evaluation.heldOut));
        }

        return inputs;
    }

    private Location folder() {
        return options.run.output().resolve(isWhole() ? RunFiles.MODEL : RunFiles.ADAPTER);
    }

    /** With the hash of an adapter as its version. */
    private LineageDataset written() {
        Location folder = folder();
        return CommandLineage.written(folder, isWhole() ? null : AdapterFolder.hash(folder.files(), folder.path()));
    }

    private boolean isWhole() {
        return options.model.method == Method.FULL;
    }
}
