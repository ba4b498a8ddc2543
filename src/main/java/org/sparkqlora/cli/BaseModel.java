package org.sparkqlora.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.sparkqlora.model.BoundParameters;
import org.sparkqlora.model.DecoderModel;
import org.sparkqlora.model.LossTotal;
import org.sparkqlora.model.Method;
import org.sparkqlora.model.ModelSpec;
import org.sparkqlora.model.ParameterIndex;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tokenizer.TokenRow;
import org.sparkqlora.train.BoundModel;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.ModelSource;
import org.sparkqlora.weights.QuantizedCache;
import org.sparkqlora.weights.WeightFolder;

/**
 * A model folder on the local disk of every host, opened in whatever process needs it.
 *
 * @param folder absolute path of the model
 * @param spec how it is held and what of it trains
 * @param cache absolute path of the folder for quantised copies
 */
record BaseModel(String folder, ModelSpec spec, String cache) implements ModelSource {
    @Override
    public String key() {
        return toString();
    }

    @Override
    public Optional<String> problem() {
        return Files.isRegularFile(Path.of(folder, "config.json"))
                ? Optional.empty()
                : Optional.of("Cannot open model folder %s: expected one with a config.json".formatted(folder));
    }

    @Override
    public Loaded open(int threads) {
        WeightFolder weights = weights(threads);
        try {
            return new Loaded(weights, DecoderModel.load(weights, spec, threads));
        } catch (RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    private WeightFolder weights(int threads) {
        WeightFolder stored = WeightFolder.open(Path.of(folder));
        if (spec.method() != Method.QLORA || stored.quantized()) {
            return stored;
        }

        try (stored;
                Workers workers = new Workers(threads)) {
            return new QuantizedCache(Path.of(cache)).open(stored, spec.quant(), workers);
        }
    }

    /** The model in this process. */
    static final class Loaded implements GradientModel {
        private final WeightFolder weights;
        private final DecoderModel model;

        private Loaded(WeightFolder weights, DecoderModel model) {
            this.weights = weights;
            this.model = model;
        }

        /** The model itself, to generate with. */
        DecoderModel decoder() {
            return model;
        }

        @Override
        public ParameterIndex parameters() {
            return model.parameters();
        }

        @Override
        public FlatVector initialParameters(long seed) {
            return model.initialParameters(seed);
        }

        @Override
        public BoundModel bind(FlatVector parameters) {
            return new Bound(model, model.bind(parameters));
        }

        @Override
        public void close() {
            model.close();
            weights.close();
        }
    }

    private record Bound(DecoderModel model, BoundParameters parameters) implements BoundModel {
        @Override
        public LossTotal addGradient(List<TokenRow> microBatch, FlatVector gradient, long dropoutSeed) {
            return model.addGradient(parameters, microBatch, gradient, dropoutSeed);
        }

        @Override
        public List<LossTotal> losses(List<TokenRow> microBatch) {
            return model.losses(parameters, microBatch);
        }

        @Override
        public void close() {
            parameters.close();
        }
    }
}
