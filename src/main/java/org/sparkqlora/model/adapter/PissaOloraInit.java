package org.sparkqlora.model.adapter;

import java.util.SplittableRandom;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.StringViewOptional;
import org.bytedeco.pytorch.T_TensorTensorTensor_T;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.sparkqlora.model.layout.FactorInitialization.Taken;
import org.sparkqlora.tensor.TensorMemory;

/**
 * Takes factors out of weights, in float32 by libtorch's LAPACK, as PEFT's {@code pissa_init} and {@code olora_init} do:
 * {@code W = U S V'} gives {@code A = sqrt(S_r / scale) V_r'}, {@code B = U_r sqrt(S_r / scale)}, and {@code W = Q R} gives
 * {@code A = R_r}, {@code B = Q_r}, of which r is the rank.
 *
 * @param random draws where a randomised decomposition begins
 */
public record PissaOloraInit(Taken how, int rank, double scale, SplittableRandom random) {
    /**
     * Both factors of a module.
     *
     * @param down A, (rank, inputs)
     * @param up B, (outputs, rank)
     */
    public record Factors(Tensor down, Tensor up) {}

    /** @param left U, (outputs, at least rank)
     * @param values S, from the largest on
     * @param right V', (at least rank, inputs) */
    private record SingularValues(Tensor left, Tensor values, Tensor right) {}

    /** The factors of {@code weight}, (outputs, inputs) in float32; all belong to the surrounding scope. */
    public Factors from(Tensor weight) {
        return switch (how.decomposition()) {
            case PISSA -> principal(exact(weight));
            case PISSA_NITER -> principal(randomized(weight));
            case OLORA -> orthogonal(weight);
        };
    }

    private Factors orthogonal(Tensor weight) {
        T_TensorTensor_T qr = torch.linalg_qr(weight);
        return new Factors(
                qr.get1().narrow(0, 0, rank).contiguous(),
                qr.get0().narrow(1, 0, rank).contiguous());
    }

    private Factors principal(SingularValues all) {
        Tensor root = all.values().narrow(0, 0, rank).div(new Scalar(scale)).sqrt();
        Tensor down = all.right().narrow(0, 0, rank).mul(root.unsqueeze(1));
        Tensor up = all.left().narrow(1, 0, rank).mul(root.unsqueeze(0));
        return new Factors(down.contiguous(), up.contiguous());
    }

    private static SingularValues exact(Tensor weight) {
        T_TensorTensorTensor_T parts = torch.linalg_svd(weight, false, new StringViewOptional());
        return new SingularValues(parts.get0(), parts.get1(), parts.get2());
    }

    /** torch's {@code svd_lowrank}: the exact decomposition of what the weight is in a subspace that holds its largest values. */
    private SingularValues randomized(Tensor weight) {
        boolean wide = weight.size(0) < weight.size(1);
        Tensor tall = wide ? weight.t() : weight;
        Tensor basis = orthonormal(tall.mm(drawn(tall.size(1))));
        for (int i = 0; i < how.iterations(); i++) {
            basis = orthonormal(tall.mm(orthonormal(tall.t().mm(basis))));
        }

        SingularValues inside = exact(basis.t().mm(tall));
        Tensor left = basis.mm(inside.left());
        return wide
                ? new SingularValues(inside.right().t(), inside.values(), left.t())
                : new SingularValues(left, inside.values(), inside.right());
    }

    private Tensor drawn(long rows) {
        float[] values = new float[Math.toIntExact(rows * rank)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }

        return TensorMemory.floats(values, rows, rank);
    }

    private static Tensor orthonormal(Tensor columns) {
        return torch.linalg_qr(columns).get0();
    }
}
