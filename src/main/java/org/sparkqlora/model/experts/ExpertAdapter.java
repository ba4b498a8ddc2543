package org.sparkqlora.model.experts;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.Products;

/**
 * The adapters of one matrix of all experts of a layer, in PEFT's layout of {@code target_parameters}: A is (E r, inputs), expert by
 * expert, and B (outputs, r E), rank by rank. Each expert has its own: {@code y += scale B_e (A_e x)}.
 *
 * @param downs (E, r, inputs)
 * @param ups (E, outputs, r)
 */
public record ExpertAdapter(Tensor downs, Tensor ups, double scale) {
    // E experts, r rank

    /** Of A and B as they are stored, in the number format of activations. */
    public static ExpertAdapter of(Tensor down, Tensor up, int experts, double scale) {
        long rank = down.size(0) / experts;
        Tensor ups = up.view(up.size(0), rank, experts).permute(2, 0, 1).contiguous();
        return new ExpertAdapter(down.view(experts, rank, down.size(1)), ups, scale);
    }

    /** {@code A x} of an expert. */
    Tensor low(int expert, Tensor input) {
        return Products.linear(input, downs.select(0, expert));
    }

    /** Adds {@code scale B low} to {@code output}. */
    void addTo(Tensor output, int expert, Tensor low) {
        Products.addTo(output, low, ups.select(0, expert).t(), scale);
    }

    /**
     * The gradients of A and B of all experts, float32.
     *
     * @param downs (E, r, inputs)
     * @param ups (E, outputs, r)
     */
    public record Gradients(Tensor downs, Tensor ups) {
        /** Zeros. */
        static Gradients of(ExpertAdapter adapter, Hardware hardware) {
            return new Gradients(zeros(adapter.downs(), hardware), zeros(adapter.ups(), hardware));
        }

        private static Tensor zeros(Tensor like, Hardware hardware) {
            return hardware.zeros(ScalarType.Float, like.size(0), like.size(1), like.size(2));
        }

        /** That of A as it is stored. */
        public Tensor down() {
            return downs.view(downs.size(0) * downs.size(1), downs.size(2));
        }

        /** That of B as it is stored. */
        public Tensor up() {
            return ups.permute(1, 2, 0).reshape(ups.size(1), ups.size(2) * ups.size(0));
        }
    }

    /**
     * Adds what the adapter adds to the gradient of the input, and takes its own.
     *
     * @param low {@code A x}, or that of x whose rows were weighed as those of the output were
     * @param own of all experts; null where none train
     */
    void backward(
            int expert,
            Tensor outputGradient,
            Tensor input,
            Tensor low,
            Tensor inputGradient,
            @Nullable Gradients own) {
        Scalar factor = new Scalar(scale);
        Tensor dLow = Products.mm(outputGradient, ups.select(0, expert)).mul_(factor);
        Products.addTo(inputGradient, dLow, downs.select(0, expert), 1);
        if (own != null) {
            own.downs().select(0, expert).copy_(Products.mm(dLow.t(), input));
            own.ups()
                    .select(0, expert)
                    .copy_(Products.mm(outputGradient.t(), low).mul_(factor));
        }
    }
}
