package org.sparkqlora.model;

import org.sparkqlora.weights.RotarySpec;

/** Angular frequencies of rotary embeddings, radians a token, one for each pair of a head's elements. */
final class RotaryFrequencies {
    private RotaryFrequencies() {}

    /** Frequencies under the scaling that {@code spec} names, in float32 as transformers computes them. */
    static float[] of(RotarySpec spec, int headSize) {
        float[] frequencies = new float[headSize / 2];
        for (int i = 0; i < frequencies.length; i++) {
            double plain = 1.0 / Math.pow(spec.theta(), 2.0 * i / headSize);
            frequencies[i] = (float) scaled(plain, spec);
        }

        return frequencies;
    }

    private static double scaled(double frequency, RotarySpec spec) {
        return switch (spec.type()) {
            case "default" -> frequency;
            case "linear" -> frequency / spec.factor();
            case "llama3" -> llama3(frequency, spec);
            default ->
                throw new IllegalArgumentException(
                        "Unsupported rotary scaling '%s': expected default, linear or llama3".formatted(spec.type()));
        };
    }

    /** Slow waves are stretched, fast ones kept, those between blended (transformers, {@code modeling_rope_utils.py}). */
    private static double llama3(double frequency, RotarySpec spec) {
        double wavelength = 2 * Math.PI / frequency;
        double longest = spec.originalMaxPositions() / spec.lowFrequencyFactor();
        double shortest = spec.originalMaxPositions() / spec.highFrequencyFactor();
        if (wavelength > longest) {
            return frequency / spec.factor();
        }

        if (wavelength < shortest) {
            return frequency;
        }

        double smooth = (spec.originalMaxPositions() / wavelength - spec.lowFrequencyFactor())
                / (spec.highFrequencyFactor() - spec.lowFrequencyFactor());
        return (1 - smooth) * frequency / spec.factor() + smooth * frequency;
    }
}
