package org.sparkqlora.model.elementwise;

import java.util.List;
import java.util.function.LongFunction;
import org.bytedeco.pytorch.Tensor;

/** The product of a feed-forward part's gate and of what passes it, (tokens, width) each. */
public sealed interface Gate permits GatedActivation, ClampedGate {
    /** The result; {@code buffer} has room for it, and need not be used. */
    Tensor forward(Tensor gate, Tensor up, LongFunction<Tensor> buffer);

    /** The gradients of gate and up; {@code buffer} has room for them, and need not be used. */
    List<Tensor> backward(Tensor outputGradient, Tensor gate, Tensor up, LongFunction<List<Tensor>> buffer);
}
