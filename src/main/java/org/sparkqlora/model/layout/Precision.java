package org.sparkqlora.model.layout;

import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.input.OptionChoice;
import org.sparkqlora.quant.Bfloat16;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.weights.safetensors.HalfFloat;

/** The number format of activations and matrix products. Norms, softmax, loss and the trained weights are float32 in all. */
public enum Precision implements OptionChoice {
    /** The range of float32 with 8 bits of precision. */
    BF16,
    /**
     * 11 bits of precision, from 6e-8 to 65504: for GPUs older than bf16. Gradients are multiplied on their way, so that small ones do not
     * vanish.
     */
    FP16,
    FP32;

    /** The precision that a command line calls {@code name}. */
    public static Precision parse(String name) {
        return OptionChoice.parse(values(), name, "Unsupported precision '%s': expected one of %s");
    }

    /** The processor as it computes in this format: Java does not read rows of fp16, which is meant for GPUs. */
    public Hardware onProcessor(Workers workers) {
        return this == FP16 ? Hardware.operationsOnProcessor() : Hardware.processor(workers);
    }

    /** Whether gradients would lose their small values without a factor on the loss. */
    public boolean scalesLoss() {
        return this == FP16;
    }

    /** Its type in libtorch. */
    public ScalarType type() {
        return switch (this) {
            case BF16 -> ScalarType.BFloat16;
            case FP16 -> ScalarType.Half;
            case FP32 -> ScalarType.Float;
        };
    }

    /** Bytes of a number. */
    public int bytes() {
        return this == FP32 ? Float.BYTES : Short.BYTES;
    }

    /** The number nearest to {@code value}. */
    public float rounded(float value) {
        return switch (this) {
            case BF16 -> Bfloat16.widen(Bfloat16.round(value));
            case FP16 -> HalfFloat.toFloat(HalfFloat.fromFloat(value));
            case FP32 -> value;
        };
    }

    /** As {@link #rounded(float)}, where nothing is lost in float32. */
    public double rounded(double value) {
        return this == FP32 ? value : rounded((float) value);
    }
}
