package org.sparkqlora.ml;

import org.apache.spark.ml.param.Params;

/** A model that is an adapter of a base, or a whole one, with a param {@code model} that says where the base is. */
interface AdapterModel {
    /** The model as the stage that it is. */
    Params stage();

    /** What it is beside its params. */
    FittedAdapter fitted();
}
