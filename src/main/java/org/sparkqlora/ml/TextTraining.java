package org.sparkqlora.ml;

import static org.apache.spark.sql.functions.col;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.sparkqlora.data.Labels;
import org.sparkqlora.objective.ObjectiveKind;
import org.sparkqlora.options.Settings;

/**
 * Trains a head that scores texts, as {@link QLoraEstimator} does with objective {@code classify}, each text in a row of its own.
 *
 * @param params of the stage that trains
 */
record TextTraining(StageParams params) {
    /** Options that a table or the stage stands for, or that mean nothing to a head. */
    static final Set<String> NOT_SETTINGS = Set.of(
            "data",
            "dryRun",
            "overwrite",
            "format",
            "columns",
            "trainOn",
            "noPacking",
            "chatTemplate",
            "templateBudget",
            "objective",
            "labels",
            "problemType",
            "dpoLoss",
            "lossWeights",
            "ktoLoss",
            "beta",
            "labelSmoothing",
            "ldAlpha",
            "desirableWeight",
            "undesirableWeight",
            "simpoGamma",
            "cpoAlpha",
            "reference",
            "precomputeRefLogProbs",
            "centerRewardsCoefficient",
            "evalPrompts",
            "evalMaxNewTokens");

    /** Options of a model that mean nothing to one that writes no text. */
    static final Set<String> NOT_USED = Set.of(
            "data",
            "format",
            "columns",
            "trainOn",
            "noPacking",
            "onBadRecord",
            "maxRecordBytes",
            "chatTemplate",
            "templateBudget",
            "objective",
            "labels",
            "problemType",
            "maxNewTokens",
            "temperature",
            "topK",
            "topP",
            "seed");

    /**
     * Trains on a table.
     *
     * @param text name of the column of texts
     * @param label their labels: names, or numbers of a regression
     * @return the fitted model, whose adapter has the head
     */
    QLoraModel fit(Dataset<?> table, String text, Column label, Labels labels) {
        QLoraEstimator estimator = new QLoraEstimator();
        Map<String, Object> values = params.values(Settings.TRAIN, Set.of());
        values.forEach(estimator::option);
        estimator
                .option("objective", ObjectiveKind.CLASSIFY.optionValue())
                .option("problemType", labels.problem().word())
                .option("labels", List.copyOf(labels.names()).toArray(String[]::new))
                .option("format", "text")
                .option("noPacking", true);
        return estimator.fit(table.select(col(RecordFields.quoted(text)).as("text"), label.as("label")));
    }
}
