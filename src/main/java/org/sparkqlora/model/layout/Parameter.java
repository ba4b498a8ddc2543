package org.sparkqlora.model.layout;

import java.util.Arrays;

/**
 * One trained tensor as a range of the flat vector, row-major.
 *
 * @param name its key in {@code adapter_model.safetensors}, or in {@code model.safetensors} when all weights train
 * @param offset its first element in the flat vector
 * @param shape its shape
 */
public record Parameter(String name, long offset, long[] shape) {
    public Parameter {
        shape = shape.clone();
    }

    @Override
    public long[] shape() {
        return shape.clone();
    }

    /** Whether it is the factor B of an adapter, which starts at zero. */
    public boolean isUpFactor() {
        return name.endsWith(ModelLayout.UP_SUFFIX);
    }

    public long size() {
        return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }
}
