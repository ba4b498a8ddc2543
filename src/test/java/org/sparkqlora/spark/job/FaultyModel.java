package org.sparkqlora.spark.job;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.spark.job.FaultPoint.Place;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tokenizer.packing.TokenRow;
import org.sparkqlora.train.BoundModel;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.ModelSource;
import org.sparkqlora.train.PassingBound;
import org.sparkqlora.train.PassingModel;

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
    public Optional<String> problem(List<String> gpus) {
        return model.problem(gpus);
    }

    @Override
    public GradientModel open(int threads) {
        faults.register();
        faults.reach(Place.LOAD);
        return new Opened(model.open(threads), faults);
    }

    private record Opened(GradientModel model, FaultPoint faults) implements PassingModel {
        @Override
        public BoundModel bind(FlatVector parameters, OptionalDouble lossScale) {
            return new Bound(model.bind(parameters, lossScale), faults);
        }
    }

    private record Bound(BoundModel bound, FaultPoint faults) implements PassingBound {
        @Override
        public LossTotal addGradient(List<TokenRow> microBatch, FlatVector gradient, long passSeed) {
            faults.reach(Place.COMPUTE);
            return bound.addGradient(microBatch, gradient, passSeed);
        }

        /** A replica lets go of its model when it is about to move on. */
        @Override
        public void close() {
            bound.close();
            faults.reach(Place.UPDATE);
        }
    }
}
