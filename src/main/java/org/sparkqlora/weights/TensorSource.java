package org.sparkqlora.weights;

/** Stored tensors by name. */
interface TensorSource {
    boolean has(String name);

    /** The tensor, or an {@link InvalidWeightsException} when there is none. */
    StoredTensor tensor(String name);
}
