package org.sparkqlora.train;

import java.util.List;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tokenizer.packing.TokenRow;

/** Does what another bound model does, but for what a test does otherwise. */
public interface PassingBound extends BoundModel {
    BoundModel bound();

    @Override
    default LossTotal addGradient(List<TokenRow> microBatch, FlatVector gradient, long passSeed) {
        return bound().addGradient(microBatch, gradient, passSeed);
    }

    @Override
    default List<LossTotal> losses(List<TokenRow> microBatch) {
        return bound().losses(microBatch);
    }

    @Override
    default int[] generate(int[] prompt, GenerationSpec spec) {
        return bound().generate(prompt, spec);
    }

    @Override
    default void close() {
        bound().close();
    }
}
