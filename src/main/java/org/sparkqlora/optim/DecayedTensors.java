package org.sparkqlora.optim;

/** The trained tensors that weight decay is applied to. */
public enum DecayedTensors {
    /** All of them, as PEFT's adapters. */
    ALL,
    /** All but norms and biases, as the Trainer of transformers decays a whole model. */
    WITHOUT_NORMS_AND_BIASES
}
