package org.sparkqlora.options;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.Columns;
import org.sparkqlora.data.Examples;
import org.sparkqlora.data.Labels;
import org.sparkqlora.data.ProblemType;
import org.sparkqlora.data.RecordFormat;
import org.sparkqlora.data.RecordReading;
import org.sparkqlora.input.InputLimits;
import org.sparkqlora.objective.ObjectiveKind;
import org.sparkqlora.spark.prepare.PreparationOptions;
import org.sparkqlora.spark.prepare.PreparationOptions.OnBadRecord;
import org.sparkqlora.spark.prepare.PreparationOptions.Packing;
import org.sparkqlora.spark.source.WeightedSource;
import org.sparkqlora.tokenizer.TrainOn;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which examples, and how rows are made of them. */
@OptionGroup.In(OptionGroup.DATA)
public final class DataOptions {
    /** Beyond it, the text of a record may not fit into an array. */
    private static final long MOST_RECORD_BYTES = 1L << 30;

    /** Beyond it, what a template writes may not fit into a text. */
    private static final int MOST_TEMPLATE_BUDGET = 32;

    @OptionGroup.Common
    @Option(
            names = "--data",
            required = true,
            split = ",",
            paramLabel = "PATH",
            description =
                    "Files, folders, globs or tables, or a folder that 'prepare' made. Files are on any Hadoop file system:"
                            + " JSON lines, a JSON list, Parquet, ORC, CSV, TSV (each with a line of names), .txt (a text a line)."
                            + " Tables are those of the catalog, as 'NAME' or '[SELECT COLUMNS FROM] NAME [VERSION AS OF 3 | TIMESTAMP"
                            + " AS OF 2026-11-01] [WHERE CONDITION]'. With weights, as in a=0.7,b=0.3, they are mixed in these parts, and none is used"
                            + " twice.")
    public List<String> sources = new ArrayList<>();

    @OptionGroup.Common
    @Option(
            names = "--format",
            defaultValue = "auto",
            paramLabel = "FORMAT",
            description =
                    "auto, messages, sharegpt, alpaca, prompt-completion, text or tokens. sharegpt has conversations"
                            + " of from and value; alpaca instruction, input and output; tokens {\"input_ids\": [...], \"labels\":"
                            + " [...]}, -100 = not trained. Default: ${DEFAULT-VALUE}: by the fields of each record.")
    public RecordFormat format = RecordFormat.AUTO;

    @OptionGroup.Common
    @Option(
            names = "--objective",
            defaultValue = "sft",
            paramLabel = "OBJECTIVE",
            description =
                    "sft, dpo, kto, orpo, cpo, simpo, reward or classify. sft trains on examples; dpo, orpo, cpo, simpo and reward on"
                            + " pairs of answers {\"prompt\": ..., \"chosen\": ..., \"rejected\": ...}; kto on answers {\"prompt\": ...,"
                            + " \"completion\": ..., \"label\": true or false}; classify on {\"text\": ..., \"label\": ...}. Default:"
                            + " ${DEFAULT-VALUE}.")
    public ObjectiveKind objective = ObjectiveKind.SFT;

    @Option(
            names = "--columns",
            split = ",",
            paramLabel = "FIELD=COLUMN",
            description = "Fields that have other names in the data, such as messages=dialog,tools=functions.")
    List<String> columns = new ArrayList<>();

    @OptionGroup.Common
    @Option(
            names = "--train-on",
            defaultValue = "assistant",
            paramLabel = "CHOICE",
            description =
                    "Tokens to train on: assistant, last-turn or all. assistant is the assistant's turns, or the completion;"
                            + " last-turn the last of these turns. Default: ${DEFAULT-VALUE}.")
    public TrainOn trainOn = TrainOn.ASSISTANT;

    @Mixin
    public LengthOptions length = new LengthOptions();

    @Option(names = "--no-packing", description = "Give every example a row of its own.")
    boolean oneExampleARow;

    @Option(
            names = "--on-bad-record",
            defaultValue = "fail",
            paramLabel = "CHOICE",
            description = "fail (names file and line) or skip (counts them). Default: ${DEFAULT-VALUE}.")
    public OnBadRecord onBadRecord = OnBadRecord.FAIL;

    @Option(
            names = "--max-record-bytes",
            defaultValue = "16M",
            paramLabel = "BYTES",
            description = "A longer record counts as bad. Default: ${DEFAULT-VALUE}.")
    ByteCount recordBytes = new ByteCount(InputLimits.DEFAULT.recordBytes());

    @Option(
            names = "--chat-template",
            paramLabel = "FILE",
            description = "Jinja template to write conversations with, instead of the model's own.")
    @Nullable
    public Path chatTemplate;

    @Option(
            names = "--template-budget",
            defaultValue = "1",
            paramLabel = "TIMES",
            description =
                    "How many times the usual text, work and time the chat template may use for a record; one that"
                            + " needs more counts as bad. Default: ${DEFAULT-VALUE}.")
    public int templateBudget = 1;

    @OptionGroup.In(OptionGroup.OBJECTIVE)
    @Option(
            names = "--labels",
            split = ",",
            paramLabel = "NAMES",
            description =
                    "Names of the classes for classify, in the order of their indices; of a regression of several numbers their names."
                            + " Default: the names in the data, sorted, or LABEL_0, LABEL_1, ... where it has indices.")
    public List<String> labels = new ArrayList<>();

    @OptionGroup.In(OptionGroup.OBJECTIVE)
    @Option(
            names = "--problem-type",
            defaultValue = "single_label_classification",
            paramLabel = "TYPE",
            description =
                    "What classify learns: single_label_classification (\"label\": a name or an index), multi_label_classification"
                            + " (\"labels\": a list) or regression (\"label\": a number). Default: ${DEFAULT-VALUE}.")
    public ProblemType problemType = ProblemType.SINGLE_LABEL_CLASSIFICATION;

    public void check(Problems problems) {
        problems.require(
                objective == ObjectiveKind.CLASSIFY || labels.isEmpty(),
                "--labels: expected --objective classify with them, found %s",
                objective.optionName());
        length.check(problems);
        problems.collect("--columns", () -> Columns.parse(columns));
        problems.requireFile("--chat-template", chatTemplate);
        problems.require(
                recordBytes.value() >= 1 && recordBytes.value() <= MOST_RECORD_BYTES,
                "--max-record-bytes: expected 1 to 1G, found %d",
                recordBytes.value());
        problems.require(
                templateBudget >= 1 && templateBudget <= MOST_TEMPLATE_BUDGET,
                "--template-budget: expected 1 to %d, found %d",
                MOST_TEMPLATE_BUDGET,
                templateBudget);
        problems.collect("--data", () -> WeightedSource.parse(sources));
        sources.forEach(source -> problems.require(!source.isBlank(), "--data: expected a path, found an empty text"));
    }

    /** Refuses labels that are not what classify can learn. */
    public void checkLabels(Problems problems) {
        if (!needsLabels()) {
            problems.collect("--labels", this::examples);
        }
    }

    /** Whether the classes have no names yet. */
    public boolean needsLabels() {
        return objective == ObjectiveKind.CLASSIFY && labels.isEmpty() && problemType != ProblemType.REGRESSION;
    }

    /** The fields by which records are read, once the columns passed the check. */
    public RecordReading reading() {
        return new RecordReading(format, columns(), examples());
    }

    /** The names that records have for our fields. */
    public Columns columns() {
        return Columns.parse(columns);
    }

    /** Bytes of the longest record that is not bad. */
    public int mostBytes() {
        return Math.toIntExact(recordBytes.value());
    }

    /** What the examples hold. */
    public Examples examples() {
        return objective == ObjectiveKind.CLASSIFY ? Examples.labeled(textLabels()) : Examples.of(objective.examples());
    }

    /** Takes {@code found} where none were given. */
    public void useLabels(Labels found) {
        if (labels.isEmpty()) {
            labels = found.names();
            problemType = found.problem();
        }
    }

    /** The labels for classify. */
    public Labels textLabels() {
        boolean isOneNumber = problemType == ProblemType.REGRESSION && labels.isEmpty();
        return new Labels(problemType, isOneNumber ? List.of(Labels.NUMBER) : labels);
    }

    public PreparationOptions preparation() {
        return new PreparationOptions(length.tokens, oneExampleARow ? Packing.ONE_A_ROW : Packing.PACKED, onBadRecord)
                .ofRecordsUpTo(mostBytes())
                .of(examples());
    }
}
