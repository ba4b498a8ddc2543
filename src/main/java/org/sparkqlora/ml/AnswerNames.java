package org.sparkqlora.ml;

import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.spark.job.AnswerRows;
import org.sparkqlora.spark.job.AnswerText.Losses;
import org.sparkqlora.spark.job.RecordLoss;

/**
 * The columns of an answer.
 *
 * @param loss of its tokens; null: none
 * @param error the reason why there is no answer; null: such a row ends the task
 */
record AnswerNames(
        String answer, @Nullable String loss, @Nullable String error) {
    Losses losses() {
        return loss == null ? Losses.NONE : Losses.TOLD;
    }

    /** The schema with these columns. */
    StructType in(StructType schema) {
        StructType answered = schema.add(answer, DataTypes.StringType, true);
        StructType told = loss == null ? answered : answered.add(loss, RecordLoss.TYPE, true);
        return error == null ? told : told.add(error, AnswerRows.ERROR, true);
    }
}
