package org.sparkqlora.options;

import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.exchange.BigDl;
import org.sparkqlora.spark.watch.EventFiles;
import org.sparkqlora.spark.watch.TensorBoardFiles;
import org.sparkqlora.train.BatchPlan;
import org.sparkqlora.train.BatchPlan.RowOrder;
import org.sparkqlora.train.Resume;
import org.sparkqlora.train.TrainTriggers;
import org.sparkqlora.train.Trigger;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The length of a run, its split into shards, and its checkpoints, evaluations and logs. */
@OptionGroup.In(OptionGroup.RUN)
public final class RunOptions {
    @OptionGroup.Common
    @Option(
            names = "--output",
            required = true,
            paramLabel = "PATH",
            description =
                    "Folder for the adapter and the files of the run. It gets adapter/, checkpoints/, prepared/, metrics.jsonl,"
                            + " plan.json and report.html, and is on this host or any Hadoop file system (hdfs://..., s3a://...).")
    @Nullable
    public Location output;

    @Option(
            names = "--overwrite",
            description =
                    "Begin anew where --output holds a run of another plan, or a folder that no run has made: what"
                            + " a run writes there is replaced, file by file, and told. The same command goes on as without it.")
    public boolean overwrite;

    @Option(
            names = "--prepared",
            paramLabel = "PATH",
            description =
                    "Folder for the prepared rows instead, which runs that read the same data in the same way share.")
    @Nullable
    public Location prepared;

    @OptionGroup.Common
    @Option(names = "--max-steps", paramLabel = "N", description = "Optimiser steps; without it --epochs decides.")
    @Nullable
    Integer maxSteps;

    @OptionGroup.Common
    @Option(
            names = "--epochs",
            defaultValue = "1",
            paramLabel = "X",
            description =
                    "Passes over the rows, not always whole ones. Batches run on over an epoch's end: 2.5 epochs of 12 rows by 5"
                            + " are 6 steps. Default: ${DEFAULT-VALUE}.")
    double epochs = 1;

    @Mixin
    public BatchOptions batch = new BatchOptions();

    @OptionGroup.Common
    @OptionGroup.In(OptionGroup.CLUSTER)
    @Option(
            names = "--shards",
            paramLabel = "P",
            description =
                    "Tasks a step. The result depends on it and on --micro-batch-size, not on the number of executors. Default: as many"
                            + " as the cluster has task slots.")
    @Nullable
    public Integer shards;

    @OptionGroup.In(OptionGroup.CLUSTER)
    @Option(
            names = "--local-steps",
            defaultValue = "1",
            paramLabel = "H",
            description =
                    "Optimiser steps that a shard takes by itself before shards come together as their mean. Above 1"
                            + " it moves less data and is not exact: metrics.jsonl has how far shards drift apart."
                            + " Default: ${DEFAULT-VALUE} (off).")
    public int localSteps = 1;

    @Option(names = "--no-shuffle", description = "Train on the rows in file order.")
    boolean fileOrder;

    @Option(
            names = "--seed",
            defaultValue = "42",
            paramLabel = "N",
            description = "Of the first adapters and the order of rows. Default: ${DEFAULT-VALUE}.")
    public long seed = 42;

    @OptionGroup.Common
    @Option(
            names = "--checkpoint-every",
            defaultValue = "100",
            paramLabel = "STEPS",
            description = "Steps between checkpoints; 0: only at the end. Default: ${DEFAULT-VALUE}.")
    int checkpointEvery = 100;

    @Option(
            names = "--keep-checkpoints",
            defaultValue = "2",
            paramLabel = "N",
            description = "The newest checkpoints that stay, at least 2. Default: ${DEFAULT-VALUE}.")
    public int keepCheckpoints = 2;

    @OptionGroup.Common
    @OptionGroup.In(OptionGroup.EVALUATION)
    @Option(
            names = "--eval-every",
            defaultValue = "0",
            paramLabel = "STEPS",
            description = "Steps between evaluations; 0: only at the end. Default: ${DEFAULT-VALUE}.")
    int evaluateEvery;

    @Option(
            names = "--checkpoint-when",
            paramLabel = "TRIGGER",
            description =
                    "Instead of --checkpoint-every, when a trigger of BigDL fires: everyEpoch, severalIteration(N),"
                            + " maxEpoch(N) and maxIteration(N) (after the N-th and from then on), minLoss(X) (a step's loss below X),"
                            + " and(...), or(...). Not on Spark 4.")
    @Nullable
    String checkpointWhen;

    @OptionGroup.In(OptionGroup.EVALUATION)
    @Option(
            names = "--eval-when",
            paramLabel = "TRIGGER",
            description = "Instead of --eval-every, as --checkpoint-when.")
    @Nullable
    String evaluateWhen;

    @OptionGroup.Common
    @OptionGroup.In(OptionGroup.WATCHING)
    @Option(
            names = "--tensorboard",
            paramLabel = "DIR",
            description =
                    "Event files for TensorBoard below DIR on this host. Their folder is named like that of --output.")
    @Nullable
    Path tensorBoard;

    @Mixin
    public MlflowOptions mlflow = new MlflowOptions();

    @Mixin
    public LineageOptions lineage = new LineageOptions();

    @Option(
            names = "--resume",
            defaultValue = "auto",
            paramLabel = "CHOICE",
            description = "Go on from a checkpoint in --output: auto (if there is one), never or required. Default:"
                    + " ${DEFAULT-VALUE}.")
    public Resume resume = Resume.AUTO;

    void check(Problems problems) {
        problems.require(maxSteps == null || maxSteps >= 1, "--max-steps: expected at least 1, found %s", maxSteps);
        problems.require(epochs > 0 && Double.isFinite(epochs), "--epochs: expected more than 0, found %s", epochs);
        batch.check(problems);
        problems.require(shards == null || shards >= 1, "--shards: expected at least 1, found %s", shards);
        problems.requireAtLeast("--local-steps", 1, localSteps);
        problems.requireAtLeast("--checkpoint-every", 0, checkpointEvery);
        problems.requireAtLeast("--keep-checkpoints", 2, keepCheckpoints);
        problems.requireAtLeast("--eval-every", 0, evaluateEvery);
        problems.requirePlaceOrContent("--prepared", prepared);
        problems.requirePlaceForFolder("--tensorboard", tensorBoard);
        mlflow.check(problems);
        lineage.check(problems);
        checkTrigger(problems, "--checkpoint-when", checkpointWhen);
        checkTrigger(problems, "--eval-when", evaluateWhen);
    }

    public Location output() {
        return Required.value("--output", output);
    }

    /** As people call it. */
    public String name() {
        return mlflow.runName == null ? output().path().getName() : mlflow.runName;
    }

    public EventFiles eventFiles() {
        Path folder = tensorBoard;
        if (folder == null) {
            return EventFiles.none();
        }

        String name = output().path().getName();
        return BigDl.find()
                .map(bigDl -> bigDl.eventFiles(folder, name))
                .orElseGet(() -> new TensorBoardFiles(folder, name));
    }

    /** @param evaluates whether there is something to evaluate */
    public TrainTriggers triggers(boolean evaluates, int patience) {
        Optional<Trigger> evaluate = evaluates ? Optional.of(trigger(evaluateWhen, evaluateEvery)) : Optional.empty();
        return new TrainTriggers(trigger(checkpointWhen, checkpointEvery), evaluate, patience);
    }

    private static void checkTrigger(Problems problems, String option, @Nullable String trigger) {
        if (trigger != null) {
            problems.collect(option, () -> BigDl.require().trigger(trigger));
        }
    }

    private Trigger trigger(@Nullable String trigger, int every) {
        return trigger == null
                ? Trigger.every(wholeRounds(every))
                : BigDl.require().trigger(trigger);
    }

    /** Between rounds is the first time that there is one State to keep or to evaluate. */
    private int wholeRounds(int steps) {
        long rounds = ((long) steps + localSteps - 1) / localSteps;
        return (int) Math.min(rounds, Integer.MAX_VALUE / localSteps) * localSteps;
    }

    /**
     * @param rows prepared rows
     * @param tasks of a step, at most one a row
     * @param microRows rows that pass through the model at once
     */
    public BatchPlan batches(long rows, int tasks, int microRows) {
        long end = maxSteps == null
                ? BatchPlan.endOfEpochs(epochs, rows)
                : Math.multiplyExact((long) maxSteps, batch.rows);
        int shardCount = Math.min(batch.rows, tasks);
        return new BatchPlan(
                rows,
                batch.rows,
                microRows,
                shardCount,
                fileOrder ? RowOrder.FILE_ORDER : RowOrder.SHUFFLED,
                end,
                localSteps);
    }
}
