package org.sparkqlora.ml;

import java.util.Locale;
import java.util.OptionalDouble;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.sparkqlora.run.output.RunFiles;
import org.sparkqlora.run.train.Trained;
import org.sparkqlora.run.train.TrainedJson;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.train.metrics.TrainSummary;

/** The summary of a fit. Losses are means over trained tokens, in nats; NaN where there is none. */
public final class QLoraTrainingSummary {
    private final Trained trained;

    QLoraTrainingSummary(Trained trained) {
        this.trained = trained;
    }

    /** Optimiser steps of the run in all. */
    public long steps() {
        return figures().steps();
    }

    /** Steps that an earlier fit had done, from whose checkpoint this one went on. */
    public long resumedFrom() {
        return figures().resumedFrom();
    }

    /** Of the first step of this fit. */
    public double firstLoss() {
        return orNaN(figures().firstLoss());
    }

    /** Of the last step. */
    public double lastLoss() {
        return orNaN(figures().lastLoss());
    }

    /** Over the held-out rows, of the model that the fit came to: with param keepBest that of the lowest such loss. */
    public double adapterEvalLoss() {
        return orNaN(trained.resultLoss());
    }

    /** Over the held-out rows, after the last step. */
    public double evalLoss() {
        return orNaN(figures().evaluationLoss());
    }

    /** Of this fit's steps. */
    public double seconds() {
        return figures().seconds();
    }

    /** Padding not counted. */
    public double tokensPerSecond() {
        return figures().seconds() == 0 ? 0 : figures().tokens() / figures().seconds();
    }

    /** The run's folder, with metrics.jsonl, report.html, plan.json, checkpoints and the adapter. */
    public String folder() {
        return trained.folder();
    }

    /** The summary that the command {@code train} prints. */
    public String json() {
        return TrainedJson.write(trained);
    }

    /** A row a step: step, loss, tokens, learning_rate, grad_norm, tokens_per_second and more; eval_loss where it was taken. */
    public Dataset<Row> metrics() {
        return SparkSession.active()
                .read()
                .json(Location.parse(folder()).resolve(RunFiles.METRICS).path().toString());
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "QLoraTrainingSummary: steps=%d, resumedFrom=%d, firstLoss=%.4f, lastLoss=%.4f, evalLoss=%.4f, adapterEvalLoss=%.4f, tokensPerSecond=%.1f, folder=%s",
                steps(),
                resumedFrom(),
                firstLoss(),
                lastLoss(),
                evalLoss(),
                adapterEvalLoss(),
                tokensPerSecond(),
                folder());
    }

    private TrainSummary figures() {
        return trained.summary();
    }

    private static double orNaN(OptionalDouble value) {
        return value.orElse(Double.NaN);
    }
}
