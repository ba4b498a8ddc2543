package org.sparkqlora.ml;

import java.time.LocalDate;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.run.generate.AnswerFacts;
import org.sparkqlora.run.generate.AnswerQuestion;
import org.sparkqlora.spark.source.SourceTable;

/**
 * A table of prompts and the model that is asked. Driver only.
 *
 * @param name of the table on the command line, without its version
 * @param column of the prompts
 * @param names of the columns of answers
 * @param day that the chat template is told; null where it does not ask
 */
record PromptTable(
        String name,
        SourceTable source,
        PromptColumn column,
        ModelColumns model,
        AnswerNames names,
        @Nullable LocalDate day) {
    /** The rows with answers and errors. */
    Dataset<Row> answered(Dataset<Row> rows) {
        return model.answered(rows, column, names, day == null ? LocalDate.now() : day);
    }

    /** @param rows fingerprint of the prompts */
    AnswerQuestion question(int parts, String rows) {
        Map<String, String> facts = new LinkedHashMap<>(AnswerFacts.told(model.facts(), names.losses()));
        facts.put("the column that is asked", column.column().toString());
        return new AnswerQuestion(facts, name, source.version(), rows, parts, day == null ? null : day.toString());
    }
}
