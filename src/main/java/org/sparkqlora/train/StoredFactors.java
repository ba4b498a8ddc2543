package org.sparkqlora.train;

import java.io.Serializable;
import org.sparkqlora.model.ParameterIndex;
import org.sparkqlora.tensor.FlatVector;

/** Factors that were taken out of a base once and are kept where every process finds them. A value that crosses to executors. */
public interface StoredFactors extends Serializable {
    /** SHA-256 of the file that holds them, in hex digits. */
    String hash();

    /** The factors, which are known to be those of the hash. */
    FlatVector read(ParameterIndex index);
}
