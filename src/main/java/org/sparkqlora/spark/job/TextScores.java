package org.sparkqlora.spark.job;

import java.io.Serializable;
import java.util.List;
import org.sparkqlora.data.Example;
import org.sparkqlora.data.Example.PlainText;
import org.sparkqlora.spark.prepare.RecordEncoders;
import org.sparkqlora.spark.replica.FixedModel;
import org.sparkqlora.tokenizer.EncodedExample;
import org.sparkqlora.tokenizer.ExampleEncoder;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.tokenizer.RowPacker;
import org.sparkqlora.tokenizer.TrainOn;
import org.sparkqlora.train.ScoringModel;

/**
 * The scores that a model's head gives to texts. Runs in a task.
 *
 * @param width tokens of a text at most; longer ones are cut
 */
public record TextScores(FixedModel model, RecordEncoders encoders, int width) implements Serializable {
    private static final int SHORTEST = 2;

    /** One number for each output of the head. */
    public double[] of(String text) {
        return of(new PlainText(text));
    }

    /** As {@link #of(String)} of a record in JSON. */
    public double[] ofRecord(String record) {
        return of(encoders.reading().read(record));
    }

    private double[] of(Example text) {
        EncodedExample example = encoders.withTokenizer(
                        tokenizer -> encoder(tokenizer).scored(text))
                .truncatedTo(width);
        int length = Math.max(SHORTEST, example.length());
        float[] scores = model.use(bound -> ((ScoringModel) bound)
                .scores(List.of(RowPacker.single(example, length)))
                .all());
        double[] wide = new double[scores.length];
        for (int i = 0; i < wide.length; i++) {
            wide[i] = scores[i];
        }

        return wide;
    }

    private ExampleEncoder encoder(ModelTokenizer tokenizer) {
        return new ExampleEncoder(tokenizer, TrainOn.ALL, encoders.day(), encoders.templateLimits());
    }
}
