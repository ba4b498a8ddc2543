package org.sparkqlora.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.SplittableRandom;
import java.util.function.LongFunction;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.tokenizer.packing.TokenRow.DocumentRange;

/** The smallest language model: a table of logits for each token given the one before it. Plain Java, so that a test needs no libtorch. */
public final class BigramModel implements GradientModel {
    public static final int VOCABULARY = 16;

    private final int vocabulary;
    private final ParameterIndex index;

    public BigramModel() {
        this(VOCABULARY);
    }

    public BigramModel(int vocabulary) {
        this(vocabulary, 1);
    }

    /** @param tensors of neighbouring lines of the table */
    public BigramModel(int vocabulary, int tensors) {
        ParameterIndex.Builder builder = ParameterIndex.builder();
        for (int i = 0; i < tensors; i++) {
            int lines = vocabulary * (i + 1) / tensors - vocabulary * i / tensors;
            builder.add(tensors == 1 ? "logits" : "logits." + i, lines, vocabulary);
        }

        this.vocabulary = vocabulary;
        this.index = builder.build();
    }

    @Override
    public ParameterIndex parameters() {
        return index;
    }

    @Override
    public FlatVector initialParameters(long seed, LongFunction<FlatVector> zeros) {
        SplittableRandom random = new SplittableRandom(seed);
        FlatVector values = zeros.apply(index.size());
        for (long i = 0; i < values.length(); i++) {
            values.set(i, (float) (random.nextDouble() - 0.5));
        }

        return values;
    }

    @Override
    public BoundModel bind(FlatVector parameters, OptionalDouble lossScale) {
        return new Bound(vocabulary, parameters.copy());
    }

    @Override
    public void close() {}

    private record Bound(int vocabulary, FlatVector table) implements BoundModel {
        @Override
        public LossTotal addGradient(List<TokenRow> microBatch, FlatVector gradient, long passSeed) {
            LossTotal total = LossTotal.ZERO;
            for (TokenRow row : microBatch) {
                total = total.plus(rowLoss(row, 0, row.length(), gradient));
            }

            return total;
        }

        @Override
        public List<LossTotal> losses(List<TokenRow> microBatch) {
            List<LossTotal> losses = new ArrayList<>();
            FlatVector ignored = FlatVector.zeros(table.length());
            for (TokenRow row : microBatch) {
                for (DocumentRange document : row.documents()) {
                    losses.add(rowLoss(row, document.from(), document.to(), ignored));
                }
            }

            return losses;
        }

        @Override
        public int[] generate(int[] prompt, GenerationSpec spec) {
            int[] made = new int[spec.maxNewTokens()];
            int last = prompt[prompt.length - 1];
            for (int count = 0; count < made.length; count++) {
                last = spec.choose(logits(last), count);
                if (spec.endIds().contains(last)) {
                    return Arrays.copyOf(made, count);
                }

                made[count] = last;
            }

            return made;
        }

        private float[] logits(int previous) {
            float[] line = new float[vocabulary];
            table.read((long) previous * vocabulary, line, 0, vocabulary);
            return line;
        }

        @Override
        public void close() {}

        private LossTotal rowLoss(TokenRow row, int from, int to, FlatVector gradient) {
            int[] ids = row.ids();
            boolean[] trained = row.trained();
            LossTotal total = LossTotal.ZERO;
            for (int t = from + 1; t < to; t++) {
                if (trained[t]) {
                    total = total.plus(new LossTotal(tokenLoss(ids[t - 1], ids[t], gradient), 1));
                }
            }

            return total;
        }

        /** -log softmax(table[previous])[next], and its derivative softmax - onehot. */
        private double tokenLoss(int previous, int next, FlatVector gradient) {
            long line = (long) previous * vocabulary;
            double sum = 0;
            for (int v = 0; v < vocabulary; v++) {
                sum += Math.exp(table.get(line + v));
            }

            for (int v = 0; v < vocabulary; v++) {
                float slope = (float) (Math.exp(table.get(line + v)) / sum) - (v == next ? 1 : 0);
                gradient.set(line + v, gradient.get(line + v) + slope);
            }

            return Math.log(sum) - table.get(line + next);
        }
    }
}
