package org.sparkqlora.ml;

import static org.apache.spark.sql.functions.col;

import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.sparkqlora.data.Labels;
import org.sparkqlora.objective.ObjectiveKind;
import org.sparkqlora.options.OptionGroup;
import org.sparkqlora.options.Settings;

/**
 * Trains a head that scores texts, as {@link QLoraEstimator} does with objective {@code classify}, each text in a row of its own.
 *
 * @param params of the stage that trains
 */
record TextTraining(StageParams params) {
    private static final Set<String> OF_RECORDS =
            Set.of("data", "format", "columns", "trainOn", "noPacking", "chatTemplate", "templateBudget", "objective");

    /** Options that a table or the stage stands for, or that mean nothing to a head. */
    static final Set<String> NOT_SETTINGS = union(
            OF_RECORDS,
            Settings.TRAIN.namesIn(OptionGroup.OBJECTIVE),
            Set.of("dryRun", "overwrite", "evalPrompts", "evalMaxNewTokens"));

    /** Options of a model that mean nothing to one that writes no text. */
    static final Set<String> NOT_USED = union(
            OF_RECORDS,
            Settings.USE.namesIn(OptionGroup.OBJECTIVE),
            Settings.USE.namesIn(OptionGroup.RUN),
            Set.of("onBadRecord", "maxRecordBytes"));

    @SafeVarargs
    private static Set<String> union(Set<String>... sets) {
        return Stream.of(sets).flatMap(Set::stream).collect(Collectors.toUnmodifiableSet());
    }

    /**
     * Trains on a table.
     *
     * @param text name of the column of texts
     * @param label their labels: names, or numbers of a regression
     * @return the fitted model, whose adapter has the head
     */
    QLoraModel fit(Dataset<?> table, String text, Column label, Labels labels) {
        QLoraEstimator estimator = new QLoraEstimator();
        params.values(Settings.TRAIN, Set.of()).forEach(estimator::option);
        estimator
                .option("objective", ObjectiveKind.CLASSIFY.optionName())
                .option("problemType", labels.problem().optionName())
                .option("labels", labels.names().toArray(String[]::new))
                .option("format", "text")
                .option("noPacking", true);
        return estimator.fit(table.select(col(RecordFields.quoted(text)).as("text"), label.as("label")));
    }
}
