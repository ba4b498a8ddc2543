package org.sparkqlora.train;

import java.util.Iterator;
import java.util.List;
import java.util.OptionalDouble;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import org.sparkqlora.model.BoundParameters;
import org.sparkqlora.model.DecoderModel;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.generation.PromptedText;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.train.DecoderGradientModel.BoundDecoder;

/** A base with several adapters over it, which hold their own factors and nothing else. */
final class AdaptersModel implements GradientModel {
    private final DecoderGradientModel base;
    private final SortedMap<String, DecoderModel> adapted;
    private final ParameterIndex index;

    private AdaptersModel(DecoderGradientModel base, SortedMap<String, DecoderModel> adapted) {
        this.base = base;
        this.adapted = adapted;
        SortedMap<String, ParameterIndex> indexes = new TreeMap<>();
        adapted.forEach((name, model) -> indexes.put(name, model.parameters()));
        this.index = AdaptersSource.index(indexes);
    }

    /** Takes {@code base} over. */
    static AdaptersModel of(DecoderGradientModel base, SortedMap<String, LoraSpec> adapters) {
        try {
            SortedMap<String, DecoderModel> adapted = new TreeMap<>();
            adapters.forEach((name, lora) -> adapted.put(name, base.decoder().adapted(lora)));
            return new AdaptersModel(base, adapted);
        } catch (RuntimeException | Error e) {
            base.close();
            throw e;
        }
    }

    @Override
    public ParameterIndex parameters() {
        return index;
    }

    /** They come from folders. */
    @Override
    public FlatVector initialParameters(long seed, LongFunction<FlatVector> zeros) {
        throw new IllegalStateException("Cannot begin adapters beside each other: expected those of folders");
    }

    @Override
    public BoundModel bind(FlatVector parameters, OptionalDouble lossScale) {
        Bound bound = new Bound(base.bind(FlatVector.zeros(0)), new TreeMap<>());
        try {
            long from = 0;
            for (var each : adapted.entrySet()) {
                DecoderModel model = each.getValue();
                long size = model.parameters().size();
                bound.adapters().put(each.getKey(), bound(model, parameters, from, size));
                from += size;
            }

            return bound;
        } catch (RuntimeException | Error e) {
            bound.close();
            throw e;
        }
    }

    private static BoundModel bound(DecoderModel model, FlatVector parameters, long from, long size) {
        try (FlatVector own = parameters.range(from, size)) {
            BoundParameters values = model.bind(own);
            return new BoundDecoder(model, values, OptionalDouble.empty());
        }
    }

    @Override
    public void close() {
        adapted.values().forEach(DecoderModel::close);
        base.close();
    }

    private record Bound(BoundModel base, SortedMap<String, BoundModel> adapters) implements BoundAdapters {
        @Override
        public BoundModel with(String adapter) {
            return adapters.getOrDefault(adapter, base);
        }

        @Override
        public LossTotal addGradient(List<TokenRow> microBatch, FlatVector gradient, long passSeed) {
            return base.addGradient(microBatch, gradient, passSeed);
        }

        @Override
        public List<LossTotal> losses(List<TokenRow> microBatch) {
            return base.losses(microBatch);
        }

        @Override
        public int[] generate(int[] prompt, GenerationSpec spec) {
            return base.generate(prompt, spec);
        }

        @Override
        public void generate(Iterator<PromptedText> texts, Consumer<int[]> sink) {
            base.generate(texts, sink);
        }

        @Override
        public void close() {
            adapters.values().forEach(BoundModel::close);
            base.close();
        }
    }
}
