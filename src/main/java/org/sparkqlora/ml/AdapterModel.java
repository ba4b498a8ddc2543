package org.sparkqlora.ml;

import org.apache.spark.ml.param.Params;

/** A model that is an adapter of a base, with a param {@code model} that says where the base is. */
interface AdapterModel {
    /** The model as the stage that it is. */
    Params stage();

    /** The adapter's folder in PEFT layout. */
    String adapterFolder();

    /** Makes {@code text} what it says of itself: a server of Spark Connect had put it aside. */
    void tell(String text);
}
