package org.sparkqlora.command.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.ToDoubleFunction;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.BoundParameters;
import org.sparkqlora.model.DecoderModel;
import org.sparkqlora.model.PassParts;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.train.BatchPlan;
import org.sparkqlora.train.DecoderGradientModel;
import org.sparkqlora.train.LocalGradientSource;
import org.sparkqlora.train.RowReader;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.StepGradient;
import org.sparkqlora.train.TrainState;
import org.sparkqlora.train.Update;

/**
 * Steps of training on {@link ArbitraryRows} in this process, and the parts of one.
 *
 * @param precision of the model
 * @param repetitions of each part, and of steps
 */
record StepBench(
        DecoderGradientModel model,
        Precision precision,
        OptimizerSpec optimizer,
        BenchReport.BenchSetting setting,
        Repetitions repetitions) {
    private static final double MILLIS = 1e3;
    private static final long SEED = 42;

    /** Leaves the parameters nearly where they are. */
    private static final double LEARNING_RATE = 1e-6;

    /** Times of the parts, in milliseconds a micro-batch. */
    List<Figure> parts() {
        DecoderModel decoder = model.decoder();
        FlatVector initial = model.initialParameters(SEED);
        try (BoundParameters parameters = decoder.bind(initial);
                PassParts parts = PassParts.of(decoder, parameters, rows().first(setting.microBatchSize()))) {
            double attention = millis(parts::attentionForward);
            return List.of(
                    new Figure("head", "loss_and_gradient_ms", millis(parts::head)),
                    new Figure("attention", "forward_ms", attention),
                    new Figure("attention", "libtorch_forward_ms", millis(parts::attentionOfLibtorch)),
                    new Figure("attention", "backward_ms", millis(parts::attentionGradient) - attention),
                    new Figure("layer", "dequantize_ms", millis(parts::layerWeights)),
                    new Figure("layer", "forward_ms", millis(parts::layerForward)),
                    new Figure("layer", "recompute_and_backward_ms", millis(parts::layerGradient)));
        }
    }

    /** Times of whole steps. */
    List<Figure> steps(@Nullable Roofline roofline) {
        List<Timed> steps = timedSteps();
        double gradient = median(steps, Timed::gradientSeconds);
        double update = median(steps, Timed::updateSeconds);
        double tokensPerSecond = (double) setting.batchSize()
                * setting.sequenceLength()
                / median(steps, step -> step.gradientSeconds + step.updateSeconds);
        List<Figure> figures = new ArrayList<>(List.of(
                new Figure("step", "gradient_seconds", gradient),
                new Figure("step", "update_seconds", update),
                new Figure("step", "tokens_per_second", tokensPerSecond)));
        if (roofline != null) {
            figures.addAll(shares(tokensPerSecond, roofline));
        }

        return figures;
    }

    private static List<Figure> shares(double tokensPerSecond, Roofline roofline) {
        double limit = roofline.tokensPerSecondWithRecompute();
        return List.of(
                new Figure("step", "recompute_roofline_tokens_per_second", limit),
                new Figure("step", "share_of_recompute_roofline", tokensPerSecond / limit),
                new Figure(
                        "step",
                        "share_of_roofline_without_recompute",
                        tokensPerSecond / roofline.tokensPerSecondWithoutRecompute()));
    }

    private List<Timed> timedSteps() {
        try (Workers workers = new Workers(setting.threads())) {
            StateHome home = new StateHome(
                    workers,
                    Paging.DEFAULT,
                    Path.of(System.getProperty("java.io.tmpdir")),
                    model.gpuUpdate().orElse(null));
            FlatVector initial = model.initialParameters(SEED);
            try (TrainState state = TrainState.fresh(initial, model.parameters(), optimizer, SEED, home)
                            .in(precision);
                    LocalGradientSource source = new LocalGradientSource(batches(), model, home, state, rows(), null)) {
                List<Timed> steps = new ArrayList<>();
                for (int step = 0; step <= repetitions.count(); step++) {
                    steps.add(timedStep(source, state));
                }

                return steps.subList(1, steps.size()); // the first warms up
            }
        }
    }

    private static Timed timedStep(LocalGradientSource source, TrainState state) {
        long begin = System.nanoTime();
        StepGradient step = source.gradient();
        long middle = System.nanoTime();
        float scale = 1f / step.loss().terms();
        source.apply(new Update(state.version(), step.gradient(), scale, LEARNING_RATE));
        step.gradient().close();
        return new Timed((middle - begin) / 1e9, (System.nanoTime() - middle) / 1e9);
    }

    private BatchPlan batches() {
        long rows = (repetitions.count() + 1L) * setting.batchSize();
        return new BatchPlan(
                setting.batchSize(),
                setting.batchSize(),
                setting.microBatchSize(),
                1,
                BatchPlan.RowOrder.FILE_ORDER,
                rows);
    }

    private ArbitraryRows rows() {
        return new ArbitraryRows(
                setting.batchSize(), model.decoder().config().vocabularySize(), setting.sequenceLength());
    }

    private double millis(Runnable part) {
        return MILLIS * repetitions.medianSeconds(part);
    }

    private static double median(List<Timed> steps, ToDoubleFunction<Timed> part) {
        return Repetitions.median(steps.stream().mapToDouble(part).toArray());
    }

    /** Seconds of one step. */
    private record Timed(double gradientSeconds, double updateSeconds) {}

    /**
     * Rows of tokens drawn by the number of the row, each one document of which all but the first token are trained.
     *
     * @param rows how many there are
     * @param vocabulary tokens to draw from
     * @param sequenceLength tokens a row
     */
    private record ArbitraryRows(long rows, int vocabulary, int sequenceLength) implements RowReader {
        @Override
        public TokenRow read(long row) {
            int[] ids = new SplittableRandom(row)
                    .ints(sequenceLength, 0, vocabulary)
                    .toArray();
            boolean[] trained = new boolean[sequenceLength];
            boolean[] starts = new boolean[sequenceLength];
            Arrays.fill(trained, true);
            trained[0] = false;
            starts[0] = true;
            return new TokenRow(ids, trained, starts, sequenceLength);
        }

        /** The first {@code count} rows. */
        List<TokenRow> first(int count) {
            return LongStream.range(0, count).mapToObj(this::read).toList();
        }
    }
}
