package org.sparkqlora.train;

import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.BoundParameters;
import org.sparkqlora.model.DecoderModel;
import org.sparkqlora.model.MicroBatch;
import org.sparkqlora.model.adapter.PissaOloraFactors;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.generation.PromptedText;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.cuda.Gpu;
import org.sparkqlora.tensor.cuda.GpuAdamW;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.family.ModelConfig;

/** A decoder and the mapped folder it was loaded from. */
public final class DecoderGradientModel implements GradientModel {
    private final WeightFolder weights;
    private final DecoderModel model;
    private final @Nullable Gpu gpu;
    private final Function<ModelConfig, Optional<PissaOloraFactors>> taken;

    /**
     * @param gpu that the model computes on, closed with it; null for the processor
     * @param taken factors taken out of the base; read only if adapters are initialised from them
     */
    public DecoderGradientModel(
            WeightFolder weights,
            DecoderModel model,
            @Nullable Gpu gpu,
            Function<ModelConfig, Optional<PissaOloraFactors>> taken) {
        this.gpu = gpu;
        this.weights = weights;
        this.model = model;
        this.taken = taken;
    }

    /** The decoder itself, for uses other than training. */
    public DecoderModel decoder() {
        return model;
    }

    /** The GPU that computes; empty for the processor. */
    public Optional<Gpu> gpu() {
        return Optional.ofNullable(gpu);
    }

    @Override
    public ParameterIndex parameters() {
        return model.parameters();
    }

    @Override
    public FlatVector initialParameters(long seed, LongFunction<FlatVector> zeros) {
        return model.initialParameters(seed, zeros, taken.apply(model.config()).orElse(null));
    }

    @Override
    public BoundModel bind(FlatVector parameters, OptionalDouble lossScale) {
        return new BoundDecoder(model, model.bind(parameters), lossScale);
    }

    @Override
    public Optional<GpuAdamW> gpuUpdate() {
        return gpu().map(Gpu::update);
    }

    @Override
    public void close() {
        model.close();
        weights.close();
        if (gpu != null) {
            gpu.close();
        }
    }

    /** A decoder at values of its trained tensors. */
    record BoundDecoder(DecoderModel model, BoundParameters parameters, OptionalDouble lossScale)
            implements BoundModel {
        @Override
        public LossTotal addGradient(List<TokenRow> microBatch, FlatVector gradient, long passSeed) {
            return model.addGradient(parameters, microBatch, gradient, passSeed, lossScale);
        }

        @Override
        public List<LossTotal> addGradients(List<MicroBatch> microBatches, FlatVector gradient) {
            return model.addGradients(parameters, microBatches, gradient, lossScale);
        }

        @Override
        public List<LossTotal> losses(List<TokenRow> microBatch) {
            return model.losses(parameters, microBatch);
        }

        @Override
        public void losses(Iterator<List<TokenRow>> microBatches, Consumer<List<LossTotal>> sink) {
            model.losses(parameters, microBatches, sink);
        }

        @Override
        public int[] generate(int[] prompt, GenerationSpec spec) {
            return model.generate(parameters, prompt, spec, id -> {});
        }

        @Override
        public void generate(Iterator<PromptedText> texts, Consumer<int[]> sink) {
            model.generate(parameters, texts, sink);
        }

        @Override
        public void close() {
            parameters.close();
        }
    }
}
