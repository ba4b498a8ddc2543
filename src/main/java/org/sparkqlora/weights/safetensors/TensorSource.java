package org.sparkqlora.weights.safetensors;

/** Stored tensors by name. */
public interface TensorSource {
    boolean has(String name);

    /** The tensor, or an {@link InvalidWeightsException} when there is none. */
    StoredTensor tensor(String name);
}
