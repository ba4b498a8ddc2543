package org.sparkqlora.train;

import java.io.Serializable;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.tensor.FlatVector;

/** Factors that were taken out of a base and stored where every process can read them. Serialised to executors. */
public interface StoredFactors extends Serializable {
    /** SHA-256 of the file that holds them, in hex digits. */
    String hash();

    /** The factors, checked against the hash. */
    FlatVector read(ParameterIndex index);
}
