package org.sparkqlora.ml;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.sum;

import java.util.Arrays;
import java.util.List;
import org.apache.spark.ml.evaluation.Evaluator;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.DefaultParamsWritable;
import org.apache.spark.ml.util.Identifiable$;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.job.RecordLoss;

/**
 * The perplexity of a {@link QLoraModel} over the rows that it transformed, {@code exp(sum of losses / sum of trained tokens)}: the sums
 * go over all rows before they are divided. Lower is better. Answers are not generated for it.
 */
public final class PerplexityEvaluator extends Evaluator implements DefaultParamsWritable {
    private static final long serialVersionUID = 1L;

    private static final String PERPLEXITY = "perplexity";
    private static final String LOSS = "loss";

    private final String uid;
    private final Param<String> metricName;
    private final Param<String> lossCol;

    public PerplexityEvaluator() {
        this(Identifiable$.MODULE$.randomUID(PERPLEXITY));
    }

    /** MLlib makes stages by their uid. */
    public PerplexityEvaluator(String uid) {
        this.uid = uid;
        this.metricName = new Param<>(
                this,
                "metricName",
                "perplexity, or loss: the mean over trained tokens, in nats",
                (String name) -> List.of(PERPLEXITY, LOSS).contains(name));
        this.lossCol = new Param<>(this, StageColumns.LOSS_COL, StageColumns.LOSS_DOC);
        setDefault(metricName, PERPLEXITY);
        setDefault(lossCol, StageColumns.LOSS);
    }

    public static PerplexityEvaluator load(String path) {
        return read().load(path);
    }

    public static MLReader<PerplexityEvaluator> read() {
        return new StageFolder.Reader<>(PerplexityEvaluator.class);
    }

    @Override
    public MLWriter write() {
        return new StageFolder.Writer(this);
    }

    @Override
    public String uid() {
        return uid;
    }

    public Param<String> metricName() {
        return metricName;
    }

    public Param<String> lossCol() {
        return lossCol;
    }

    public PerplexityEvaluator setMetricName(String name) {
        set(metricName, name);
        return this;
    }

    public PerplexityEvaluator setLossCol(String name) {
        set(lossCol, name);
        return this;
    }

    @Override
    public double evaluate(Dataset<?> dataset) {
        String column = getOrDefault(lossCol);
        if (!Arrays.asList(dataset.columns()).contains(column)) {
            throw new BadInputException(
                    "Cannot evaluate: expected lossCol to name a column that QLoraModel.transform made, found no %s among %s. It makes none of rows that nothing would train on"
                            .formatted(column, Arrays.toString(dataset.columns())));
        }

        String quoted = RecordFields.quoted(column);
        Row total = dataset.agg(sum(col(quoted + "." + RecordLoss.SUM)), sum(col(quoted + "." + RecordLoss.TOKENS)))
                .head();
        if (total.isNullAt(0)) {
            throw new BadInputException("Cannot evaluate: expected rows with a trained token, found none");
        }

        double loss = total.getDouble(0) / total.getLong(1);
        return getOrDefault(metricName).equals(LOSS) ? loss : Math.exp(loss);
    }

    @Override
    public boolean isLargerBetter() {
        return false;
    }

    @Override
    public String toString() {
        return "PerplexityEvaluator: uid=" + uid + ", metricName=" + getOrDefault(metricName) + ", lossCol="
                + getOrDefault(lossCol);
    }

    @Override
    public PerplexityEvaluator copy(ParamMap extra) {
        return defaultCopy(extra);
    }
}
