package org.sparkqlora.bigdl;

import com.intel.analytics.bigdl.dllib.tensor.ArrayStorage;
import com.intel.analytics.bigdl.dllib.tensor.DenseTensor;
import com.intel.analytics.bigdl.dllib.tensor.Tensor;
import com.intel.analytics.bigdl.dllib.tensor.TensorNumericMath$TensorNumeric$NumericFloat$;
import com.intel.analytics.bigdl.dllib.tensor.TensorNumericMath.TensorNumeric;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/** BigDL's float32 tensors, whose Scala types Java sees as tensors of objects. */
final class FloatTensors {
    private FloatTensors() {}

    /** A view of {@code values}, not a copy. */
    static Tensor<Object> of(float[] values) {
        int[] size = {values.length};
        int[] stride = {1};
        return new DenseTensor<>(new ArrayStorage<>(values, tag()), 0, size, stride, 1, tag(), arithmetic());
    }

    /** A copy of a contiguous tensor's elements. */
    static float[] copyOf(Tensor<Object> tensor) {
        float[] values = new float[tensor.nElement()];
        System.arraycopy(tensor.storage().array(), tensor.storageOffset() - 1, values, 0, values.length);
        return values;
    }

    @SuppressWarnings("unchecked")
    static ClassTag<Object> tag() {
        return (ClassTag<Object>) (ClassTag<?>) ClassTag$.MODULE$.Float();
    }

    @SuppressWarnings("unchecked")
    static TensorNumeric<Object> arithmetic() {
        return (TensorNumeric<Object>) (TensorNumeric<?>) TensorNumericMath$TensorNumeric$NumericFloat$.MODULE$;
    }
}
