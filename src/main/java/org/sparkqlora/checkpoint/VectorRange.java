package org.sparkqlora.checkpoint;

import java.util.Objects;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.tensor.FlatVector;

/** One trained tensor, read out of the flat vector. */
public record VectorRange(FlatVector vector, Parameter parameter) implements FloatSource {
    @Override
    public long length() {
        return parameter.size();
    }

    @Override
    public void read(long from, float[] target, int count) {
        Objects.checkFromIndexSize(from, count, length());
        vector.read(parameter.offset() + from, target, 0, count);
    }
}
