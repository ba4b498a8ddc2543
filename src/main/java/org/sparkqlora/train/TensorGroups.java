package org.sparkqlora.train;

import java.util.List;
import org.sparkqlora.model.Parameter;
import org.sparkqlora.model.ParameterIndex;
import org.sparkqlora.optim.OptimizedTensor;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.ParameterGroup;

/**
 * LoRA+ (arXiv 2402.12354), grouped as PEFT's {@code create_loraplus_optimizer}: the factors B and all vectors, such as DoRA's
 * magnitudes, learn at a multiple of the rate, and biases among them do not decay. With a ratio of 1 there are no groups.
 */
final class LoraPlus {
    private LoraPlus() {}

    /** The trained tensors in the order of the flat vector. */
    static List<OptimizedTensor> tensors(ParameterIndex index, OptimizerSpec spec) {
        return index.all().stream()
                .map(parameter -> new OptimizedTensor(parameter.size(), group(parameter, spec.loraPlusRatio())))
                .toList();
    }

    private static ParameterGroup group(Parameter parameter, double ratio) {
        if (ratio == 1 || !(parameter.isUpFactor() || parameter.shape().length == 1)) {
            return ParameterGroup.PLAIN;
        }

        return new ParameterGroup(ratio, parameter.name().contains("bias") ? 0 : 1);
    }
}
