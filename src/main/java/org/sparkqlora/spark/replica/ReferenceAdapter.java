package org.sparkqlora.spark.replica;

import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.ReferenceParameters;

/** The base with an adapter, as the model that answers are measured from. */
public record ReferenceAdapter(FactorFolder adapter) implements ReferenceParameters {
    @Override
    public String key() {
        return adapter.folder() + " " + adapter.hash();
    }

    @Override
    public FlatVector of(GradientModel model) {
        return adapter.read(model.parameters());
    }
}
