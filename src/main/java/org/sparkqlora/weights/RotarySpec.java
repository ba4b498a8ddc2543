package org.sparkqlora.weights;

/**
 * How positions turn queries and keys.
 *
 * @param type {@code default}, {@code linear} or {@code llama3}
 * @param theta base of the frequencies
 * @param factor how far the context was stretched; 1 for {@code default}
 * @param lowFrequencyFactor {@code llama3}: wavelengths above original positions / this are stretched whole; else 1
 * @param highFrequencyFactor {@code llama3}: wavelengths below original positions / this are left alone; else 1
 * @param originalMaxPositions {@code llama3}: context length before it was stretched; else the model's maximum
 */
public record RotarySpec(
        String type,
        double theta,
        double factor,
        double lowFrequencyFactor,
        double highFrequencyFactor,
        int originalMaxPositions) {}
