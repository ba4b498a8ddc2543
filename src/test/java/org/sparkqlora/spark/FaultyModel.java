package org.sparkqlora.spark;

import java.util.List;
import java.util.Optional;
import java.util.function.LongFunction;
import org.sparkqlora.model.GenerationSpec;
import org.sparkqlora.model.LossTotal;
import org.sparkqlora.model.ParameterIndex;
import org.sparkqlora.spark.FaultPoint.Place;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tokenizer.TokenRow;
import org.sparkqlora.train.BoundModel;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.ModelSource;

/**
 * A model that comes by the fault points of a run.
 *
 * @param model the model itself
 * @param faults the points
 * @param run its name, so that each run loads the model
 */
record FaultyModel(ModelSource model, FaultPoint faults, String run) implements ModelSource {
    @Override
    public String key() {
        return model.key() + " " + run;
    }

    @Override
    public Optional<String> problem() {
        return model.problem();
    }

    @Override
    public GradientModel open(int threads) {
        faults.register();
        faults.reach(Place.LOAD);
        return new Opened(model.open(threads), faults);
    }

    private record Opened(GradientModel model, FaultPoint faults) implements GradientModel {
        @Override
        public ParameterIndex parameters() {
            return model.parameters();
        }

        @Override
        public FlatVector initialParameters(long seed, LongFunction<FlatVector> zeros) {
            return model.initialParameters(seed, zeros);
        }

        @Override
        public BoundModel bind(FlatVector parameters) {
            return new Bound(model.bind(parameters), faults);
        }

        @Override
        public void close() {
            model.close();
        }
    }

    private record Bound(BoundModel model, FaultPoint faults) implements BoundModel {
        @Override
        public LossTotal addGradient(List<TokenRow> microBatch, FlatVector gradient, long passSeed) {
            faults.reach(Place.COMPUTE);
            return model.addGradient(microBatch, gradient, passSeed);
        }

        @Override
        public List<LossTotal> losses(List<TokenRow> microBatch) {
            return model.losses(microBatch);
        }

        @Override
        public int[] generate(int[] prompt, GenerationSpec spec) {
            return model.generate(prompt, spec);
        }

        /** A replica lets go of its model when it is about to move on. */
        @Override
        public void close() {
            model.close();
            faults.reach(Place.UPDATE);
        }
    }
}
