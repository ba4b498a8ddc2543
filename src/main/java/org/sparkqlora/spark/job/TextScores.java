package org.sparkqlora.spark.job;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.sparkqlora.data.Example;
import org.sparkqlora.data.Example.PlainText;
import org.sparkqlora.model.loss.ScoreLoss.Scores;
import org.sparkqlora.spark.prepare.RecordEncoders;
import org.sparkqlora.spark.replica.FixedModel;
import org.sparkqlora.tokenizer.EncodedExample;
import org.sparkqlora.tokenizer.ExampleEncoder;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.tokenizer.TrainOn;
import org.sparkqlora.tokenizer.packing.RowPacker;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.train.ScoringModel;

/**
 * The scores that a model's head gives to texts. Runs in a task.
 *
 * @param width tokens of a text at most; longer ones are cut
 */
public record TextScores(FixedModel model, RecordEncoders encoders, int width) implements Serializable {
    private static final int SHORTEST = 2;

    /** Tokens that pass together, unless one text alone has more. */
    private static final int TOGETHER = 1024;

    /** One number for each output of the head. */
    public double[] of(String text) {
        return of(List.of(text)).get(0);
    }

    /** The same of each text, of which many pass together. */
    List<double[]> of(List<String> texts) {
        return scores(texts.stream().<Example>map(PlainText::new).toList());
    }

    /** As {@link #of(List)} of records in JSON. */
    List<double[]> ofRecords(List<String> records) {
        return scores(records.stream().map(encoders.reading()::read).toList());
    }

    private List<double[]> scores(List<Example> texts) {
        List<TokenRow> rows = encoders.withTokenizer(
                tokenizer -> texts.stream().map(text -> row(text, tokenizer)).toList());
        List<double[]> scores = new ArrayList<>();
        List<TokenRow> together = new ArrayList<>();
        int tokens = 0;
        for (TokenRow row : rows) {
            if (!together.isEmpty() && tokens + row.length() > TOGETHER) {
                scores.addAll(ofPass(together));
                together.clear();
                tokens = 0;
            }

            together.add(row);
            tokens += row.length();
        }

        scores.addAll(together.isEmpty() ? List.of() : ofPass(together));
        return scores;
    }

    private TokenRow row(Example text, ModelTokenizer tokenizer) {
        EncodedExample example = encoder(tokenizer).scored(text).truncatedTo(width);
        return RowPacker.single(example, Math.max(SHORTEST, example.length()));
    }

    private List<double[]> ofPass(List<TokenRow> rows) {
        Scores scores = model.use(bound -> ((ScoringModel) bound).scores(rows));
        return IntStream.range(0, scores.documents())
                .mapToObj(document -> IntStream.range(0, scores.outputs())
                        .mapToDouble(output -> scores.score(document, output))
                        .toArray())
                .toList();
    }

    private ExampleEncoder encoder(ModelTokenizer tokenizer) {
        return new ExampleEncoder(tokenizer, TrainOn.ALL, encoders.day(), encoders.templateLimits());
    }
}
