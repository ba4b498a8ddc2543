package org.sparkqlora.spark.job;

import java.io.Serializable;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.api.java.UDF2;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.spark.prepare.LineEncoder;
import org.sparkqlora.spark.prepare.LineEncoderSource;
import org.sparkqlora.spark.prepare.PreparationOptions;
import org.sparkqlora.spark.prepare.PreparationOptions.OnBadRecord;
import org.sparkqlora.spark.replica.FixedModel;
import org.sparkqlora.tokenizer.EncodedExample;
import org.sparkqlora.tokenizer.packing.RowPacker;

/** The loss of a model over the trained tokens of a record: sum and token count. Runs in a task. */
public record RecordLoss(FixedModel model, LineEncoderSource encoders, PreparationOptions options)
        implements Serializable {
    /** Sum of the losses, in nats. */
    public static final String SUM = "sum";

    /** Trained tokens. */
    public static final String TOKENS = "tokens";

    /** The type of a loss in a table. */
    public static final StructType TYPE =
            new StructType().add(SUM, DataTypes.DoubleType, false).add(TOKENS, DataTypes.LongType, false);

    private static final int SHORTEST = 2;

    /** A function of a record and the name of the adapter whose loss it is. */
    public static UDF2<@Nullable String, @Nullable String, @Nullable Row> function(ByAdapter<RecordLoss> losses) {
        return (record, adapter) ->
                record == null ? null : losses.require(adapter).of(record);
    }

    /** Null where nothing in the record would train. */
    private @Nullable Row of(String record) {
        EncodedExample example = encode(record);
        if (example == null || example.trainedTokens() == 0) {
            return null;
        }

        int width = Math.max(SHORTEST, example.length());
        LossTotal loss = LossTotal.sum(model.use(bound -> bound.losses(List.of(RowPacker.single(example, width)))));
        return RowFactory.create(loss.lossSum(), loss.tokenCount());
    }

    private @Nullable EncodedExample encode(String record) {
        try (LineEncoder encoder = encoders.open()) {
            return encoder.encode(record).truncatedTo(options.width());
        } catch (BadRecordException e) {
            if (options.onBadRecord() == OnBadRecord.FAIL) {
                throw e;
            }

            return null;
        }
    }
}
