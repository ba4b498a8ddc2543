package org.sparkqlora.options;

import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Precision;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** In which numbers a model is held and computed. */
@OptionGroup.In(OptionGroup.MODEL)
public final class NumericsOptions {
    @Option(
            names = "--precision",
            defaultValue = "auto",
            paramLabel = "TYPE",
            description =
                    "Activations and products: bf16 (multiplied in float32 by a processor without instructions for it), fp16 (with a scale"
                            + " of the loss that finds itself; slow on the processor), fp32, or auto (bf16; fp16 where a GPU is older than compute capability 8.0; as it was begun where"
                            + " train continues). Default: ${DEFAULT-VALUE}.")
    public PrecisionChoice precision = PrecisionChoice.AUTO;

    @Mixin
    public QuantOptions quant = new QuantOptions();

    public ModelSpec spec(Method method, @Nullable LoraSpec lora, Precision precision) {
        return new ModelSpec(method, precision, quant.spec(), lora);
    }
}
