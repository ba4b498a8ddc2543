package org.sparkqlora.cli;

import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.LoraSpec;
import org.sparkqlora.model.Method;
import org.sparkqlora.model.ModelSpec;
import org.sparkqlora.model.Precision;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** In which numbers a model is held and computed. */
final class NumericsOptions {
    @Option(
            names = "--precision",
            defaultValue = "bf16",
            paramLabel = "TYPE",
            description = "Activations and products: bf16, fp16 (for GPUs before compute capability 8.0, with a scale"
                    + " of the loss that finds itself; slow on the processor) or fp32. Default: ${DEFAULT-VALUE}.")
    Precision precision = Precision.BF16;

    @Mixin
    QuantOptions quant = new QuantOptions();

    ModelSpec spec(Method method, @Nullable LoraSpec lora) {
        return new ModelSpec(method, precision, quant.spec(), lora);
    }
}
