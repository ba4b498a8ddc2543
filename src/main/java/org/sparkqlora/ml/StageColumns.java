package org.sparkqlora.ml;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.sparkqlora.data.Columns;
import org.sparkqlora.data.Examples;
import org.sparkqlora.data.ProblemType;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.data.RecordReading;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.objective.ObjectiveKind;
import org.sparkqlora.options.DataOptions;
import org.sparkqlora.spark.job.AnswerRows;
import org.sparkqlora.spark.job.RecordLoss;

/**
 * The columns that an estimator and its model read and make.
 *
 * @param params of the stage
 */
record StageColumns(StageParams params) {
    static final String INPUT_COL = "inputCol";
    static final String OUTPUT_COL = "outputCol";
    static final String LOSS_COL = "lossCol";
    static final String ERROR_COL = "errorCol";
    static final String ANSWER_LOSS_COL = "answerLossCol";
    static final String ANSWER = "answer";
    static final String LOSS = "loss";
    private static final String OBJECTIVE = "objective";
    static final String LOSS_DOC =
            "Column of the loss over a row's trained tokens: their sum and how many they are; computed only where it is used. Empty: none.";

    private static final String ANSWER_LOSS_DOC =
            "Column of the loss of a row's answer, as in lossCol: the sum of -log p of its tokens, whatever the temperature, and their number; the token that ends it is one. Empty: none.";

    private static final String ERROR_DOC =
            "Column of the reason why a row has no answer: its type and a message. Empty: a prompt that cannot be used ends the task.";

    private static final String INPUT_DOC =
            "Column of conversations (lists of role and content) or of texts, to train on and to answer. Else: messages, or"
                    + " the other fields that format names, as params columns calls them.";
    private static final String OUTPUT_DOC =
            "Column of answers, or of scores (a list of numbers) by a model whose head scores texts. Answers are made only where they are used. Empty: none.";

    /** Adds the names of the columns. */
    static StageParams add(StageParams params) {
        return params.withColumn(INPUT_COL, INPUT_DOC, "")
                .withColumn(OUTPUT_COL, OUTPUT_DOC, ANSWER)
                .withColumn(LOSS_COL, LOSS_DOC, LOSS)
                .withColumn(ERROR_COL, ERROR_DOC, "")
                .withColumn(ANSWER_LOSS_COL, ANSWER_LOSS_DOC, "");
    }

    /** The fields of training records. */
    RecordFields fields(StructType schema) {
        return RecordFields.of(schema, input(), names(), format(), examples());
    }

    /** What examples hold that a fit trains on; a model reads supervised ones, whose loss it tells. */
    private Examples examples() {
        boolean trains =
                Arrays.stream(params.all()).anyMatch(param -> param.name().equals(OBJECTIVE));
        if (!trains) {
            return Examples.SUPERVISED;
        }

        DataOptions data = new DataOptions();
        data.objective = ObjectiveKind.parse(params.text(OBJECTIVE).orElseThrow());
        data.labels = params.list("labels");
        data.problemType = ProblemType.parse(params.text("problemType").orElseThrow());
        return data.examples();
    }

    /** The columns of answers. */
    AnswerNames answers() {
        return new AnswerNames(
                params.text(OUTPUT_COL).orElseThrow(),
                params.text(ANSWER_LOSS_COL).orElse(null),
                params.text(ERROR_COL).orElse(null));
    }

    /** The column of prompts; empty if no answer is wanted. */
    Optional<PromptColumn> prompts(StructType schema) {
        return params.text(OUTPUT_COL).flatMap(any -> PromptColumn.of(schema, input(), names(), format()));
    }

    /** The schema with what is made, or throws what a table lacks. */
    StructType transformed(StructType schema) {
        requireInput(schema);
        Optional<String> answer = prompts(schema).flatMap(any -> params.text(OUTPUT_COL));
        Optional<String> loss = loss(schema);
        if (answer.isEmpty() && loss.isEmpty() && examples().equals(Examples.SUPERVISED)) {
            throw new BadInputException(
                    "inputCol: expected a column of texts or of messages (lists of role and content), or columns %s; found columns %s"
                            .formatted(fields(schema).expected(), described(schema)));
        }

        StructType answered = answer.map(
                        name -> withErrors(withAnswerLoss(with(schema, OUTPUT_COL, name, DataTypes.StringType))))
                .orElse(schema);
        return loss.map(name -> with(answered, LOSS_COL, name, RecordLoss.TYPE)).orElse(answered);
    }

    private StructType withAnswerLoss(StructType schema) {
        return params.text(ANSWER_LOSS_COL)
                .map(name -> with(schema, ANSWER_LOSS_COL, name, RecordLoss.TYPE))
                .orElse(schema);
    }

    private StructType withErrors(StructType schema) {
        return params.text(ERROR_COL)
                .map(name -> with(schema, ERROR_COL, name, AnswerRows.ERROR))
                .orElse(schema);
    }

    /** The schema with scores, of a model whose head scores texts. */
    StructType scored(StructType schema) {
        requireRecords(schema);
        return params.text(OUTPUT_COL)
                .map(name -> with(schema, OUTPUT_COL, name, DataTypes.createArrayType(DataTypes.DoubleType, false)))
                .orElse(schema);
    }

    /** The column of losses; nothing where none is wanted, or where rows are no training records. */
    Optional<String> loss(StructType schema) {
        RecordFields fields = RecordFields.of(schema, input(), names(), format(), Examples.SUPERVISED);
        return params.text(LOSS_COL)
                .filter(any -> fields.areWhole() && fields.mistyped(schema).isEmpty());
    }

    /** Throws if a table lacks what training needs. */
    void requireRecords(StructType schema) {
        requireInput(schema);
        RecordFields fields = fields(schema);
        if (!fields.areWhole()) {
            throw new BadInputException(
                    "inputCol: expected it to name a column, or columns %s; found columns %s. Columns of other names are told by columns"
                            .formatted(fields.expected(), Arrays.toString(schema.fieldNames())));
        }

        List<String> mistyped = fields.mistyped(schema);
        if (!mistyped.isEmpty()) {
            throw new BadInputException(String.join("; ", mistyped));
        }
    }

    /** The fields by which the records of a table are read. */
    RecordReading reading() {
        return new RecordReading(format(), names(), examples());
    }

    private static String described(StructType schema) {
        return Arrays.stream(schema.fields())
                .map(field -> field.name() + " " + field.dataType().simpleString())
                .collect(Collectors.joining(", ", "[", "]"));
    }

    private void requireInput(StructType schema) {
        input().filter(name -> !Arrays.asList(schema.fieldNames()).contains(name))
                .ifPresent(name -> {
                    throw new BadInputException("%s: expected a column of the table, found no %s among %s"
                            .formatted(INPUT_COL, name, Arrays.toString(schema.fieldNames())));
                });
    }

    private static StructType with(StructType schema, String param, String name, DataType type) {
        if (Arrays.asList(schema.fieldNames()).contains(name)) {
            throw new BadInputException(
                    "%s: expected the name of a new column, found that %s is there".formatted(param, name));
        }

        return schema.add(name, type, true);
    }

    private Optional<String> input() {
        return params.text(INPUT_COL);
    }

    private Columns names() {
        return Columns.parse(params.list("columns"));
    }

    private RecordFormat format() {
        return RecordFormat.parse(params.text("format").orElseThrow());
    }
}
