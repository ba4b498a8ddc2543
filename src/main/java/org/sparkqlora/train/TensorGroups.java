package org.sparkqlora.train;

import java.util.List;
import java.util.regex.Pattern;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.optim.DecayedTensors;
import org.sparkqlora.optim.OptimizedTensor;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.ParameterGroup;

/**
 * The trained tensors that a step treats apart from the rest.
 *
 * <p>LoRA+ (arXiv 2402.12354), grouped as PEFT's {@code create_loraplus_optimizer}: the factors B and all vectors, such as DoRA's
 * magnitudes, learn at a multiple of the rate, and biases among them do not decay. Without LoRA+, the norms and biases of a whole
 * model do not decay, by the names that the Trainer of transformers goes by ({@code get_decay_parameter_names}).
 */
public final class TensorGroups {
    private static final Pattern NORM_OR_BIAS =
            Pattern.compile("bias|layernorm|rmsnorm|(^|\\.)norm($|\\.)|_norm($|\\.)", Pattern.CASE_INSENSITIVE);
    private static final ParameterGroup UNDECAYED = new ParameterGroup(1, 0);

    private TensorGroups() {}

    /** The trained tensors in the order of the flat vector. */
    public static List<OptimizedTensor> of(ParameterIndex index, OptimizerSpec spec) {
        return index.all().stream()
                .map(parameter -> new OptimizedTensor(parameter.size(), group(parameter, spec)))
                .toList();
    }

    /** Whether the tensor called {@code name} is a norm or a bias. */
    static boolean isNormOrBias(String name) {
        return NORM_OR_BIAS.matcher(name).find();
    }

    private static ParameterGroup group(Parameter parameter, OptimizerSpec spec) {
        double ratio = spec.loraPlusRatio();
        if (ratio != 1 && (parameter.isUpFactor() || parameter.shape().length == 1)) {
            return new ParameterGroup(ratio, parameter.name().contains("bias") ? 0 : 1);
        }

        boolean undecayed = spec.decayed() == DecayedTensors.WITHOUT_NORMS_AND_BIASES && isNormOrBias(parameter.name());
        return undecayed ? UNDECAYED : ParameterGroup.PLAIN;
    }
}
