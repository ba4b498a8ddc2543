package org.sparkqlora.options;

import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.sparkqlora.input.OptionChoice;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.tensor.cuda.ComputeCapability;

/** The values of {@code --precision}. */
public enum PrecisionChoice implements OptionChoice {
    AUTO,
    BF16,
    FP16,
    FP32;

    public static PrecisionChoice parse(String name) {
        return OptionChoice.parse(values(), name, "Unsupported precision '%s': expected one of %s");
    }

    /**
     * The precision that was asked for. Auto is what the oldest GPU multiplies by its matrix units: bf16, before compute capability 8.0
     * fp16. The processor takes bf16.
     *
     * @param oldest generation of the GPUs; nothing without GPUs; asked only if it decides
     * @param note is told what GPUs decided
     */
    public Precision on(Supplier<Optional<ComputeCapability>> oldest, Consumer<String> note) {
        if (this != AUTO) {
            return Precision.valueOf(name());
        }

        Optional<ComputeCapability> found = oldest.get();
        Precision chosen = found.map(PrecisionChoice::best).orElse(Precision.BF16);
        found.ifPresent(capability -> note.accept("precision: %s (the oldest GPU is of compute capability %s%s)"
                .formatted(
                        chosen.optionName(),
                        capability,
                        chosen == Precision.BF16 ? "" : ", and bf16 needs " + ComputeCapability.FIRST_WITH_BFLOAT16)));
        return chosen;
    }

    /** The precision of an estimate, which knows no GPU: fp16 takes as much memory. */
    public Precision planned() {
        return on(Optional::empty, note -> {});
    }

    private static Precision best(ComputeCapability capability) {
        return capability.hasBfloat16() ? Precision.BF16 : Precision.FP16;
    }
}
