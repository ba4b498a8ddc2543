package org.sparkqlora.weights.safetensors;

import java.io.Serializable;
import java.util.Arrays;

/** Name, element type and shape of a tensor in a file. */
public record TensorSpec(String name, StoredType type, long[] shape) implements Serializable {
    public TensorSpec {
        shape = shape.clone();
    }

    /** The tensor {@code name} of {@code shape}. */
    public static TensorSpec of(String name, StoredType type, long... shape) {
        return new TensorSpec(name, type, shape);
    }

    @Override
    public long[] shape() {
        return shape.clone();
    }

    public long elements() {
        return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }

    public long byteSize() {
        return Math.multiplyExact(elements(), type.bytes());
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof TensorSpec that
                && name.equals(that.name)
                && type == that.type
                && Arrays.equals(shape, that.shape);
    }

    @Override
    public int hashCode() {
        return name.hashCode();
    }

    @Override
    public String toString() {
        return "%s %s%s".formatted(name, type, Arrays.toString(shape));
    }
}
