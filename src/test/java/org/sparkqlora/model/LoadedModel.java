package org.sparkqlora.model;

import java.nio.file.Path;
import java.util.List;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.weights.WeightFolder;

/** Models with a pass for each thread, on the processor unless a test says otherwise. */
public final class LoadedModel {
    static final Path SCRATCH = Path.of(System.getProperty("java.io.tmpdir"));

    private LoadedModel() {}

    static DecoderModel of(WeightFolder weights, ModelSpec spec, int threads, Recompute recompute) {
        return of(weights, spec, threads, recompute, spec.precision()::onProcessor);
    }

    /** A model whose passes keep the inputs of layers only. */
    public static DecoderModel of(WeightFolder weights, ModelSpec spec, int threads) {
        return of(weights, spec, threads, Recompute.ALL);
    }

    public static DecoderModel of(
            WeightFolder weights, ModelSpec spec, int threads, Recompute recompute, Hardware.Source source) {
        return DecoderModel.load(weights, spec, threads, PassOptions.recomputing(recompute), SCRATCH, source);
    }

    /** A model on the processor of whose base the least is resident. */
    static DecoderModel inWindow(WeightFolder weights, ModelSpec spec, int threads, Recompute recompute) {
        BaseMemoryLimit least = new BaseMemoryLimit(BaseMemoryLimit.smallest(weights.config(), spec, threads));
        return DecoderModel.load(
                weights,
                spec,
                threads,
                PassOptions.recomputing(recompute).keeping(least),
                SCRATCH,
                spec.precision()::onProcessor);
    }

    /** Adds the gradient of the summed loss of {@code rows}, from which nothing is dropped, and returns that loss. */
    public static LossTotal addGradient(
            DecoderModel model, BoundParameters parameters, List<TokenRow> rows, FlatVector gradient) {
        return model.inPass(
                parameters, pass -> pass.gradient(new DocumentBatch(rows), new GradientAccumulator(gradient)));
    }
}
