package org.sparkqlora.weights.family;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * Properties that may differ between the layers of one model.
 *
 * @param window tokens that a token sees, itself included; empty for all before it
 * @param rotary how queries and keys are turned; empty where they are not
 */
public record LayerTraits(OptionalInt window, Optional<RotarySpec> rotary) {}
