package org.sparkqlora.model.deltanet;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The gated delta rule (arXiv 2412.06464). A head's state S, (k, v), begins as zeros in each document; token by token
 *
 * <pre>
 * S  = e^g S                      decays
 * S += k' beta (v - k S)          corrects what it answers to k
 * o  = q S                        answers to q
 * </pre>
 *
 * <p>It is computed in chunks of C tokens as {@code torch_chunk_gated_delta_rule} of transformers does: with G the sums of g within a
 * chunk and {@code D = e^(G_i - G_j)} at and below the diagonal, {@code (I + tril(beta K K' D)) [U W] = beta [V, e^G K]}; then chunk by
 * chunk {@code N = U - W S}, {@code o = e^G Q S + (Q K' D) N} and {@code S = e^G_C S + (e^(G_C - G) K)' N}. All in float32.
 */
final class GatedDeltaRule {
    // n chunks, H heads, C tokens of a chunk, k and v widths of a head's keys and values, D documents

    private GatedDeltaRule() {}

    /**
     * Inputs in chunks, zeros where a chunk is filled up.
     *
     * @param query (n, H, C, k), scaled
     * @param key (n, H, C, k)
     * @param value (n, H, C, v)
     * @param decay g, (n, H, C), at most 0
     * @param beta (n, H, C)
     */
    record Inputs(Tensor query, Tensor key, Tensor value, Tensor decay, Tensor beta) {}

    /**
     * The values that all tokens read, and the states behind the last ones.
     *
     * @param output (n, H, C, v)
     * @param states (D, H, k, v) in the order of {@link Chunks#order}
     */
    record Result(Tensor output, Tensor states) {}

    /** @param states (D, H, k, v) before the first tokens, in the order of {@link Chunks#order} */
    static Result apply(Inputs in, Tensor states, Chunks chunks) {
        Tensor sums = in.decay().cumsum(-1);
        Tensor kept = sums.exp().unsqueeze(-1);
        Tensor last = sums.narrow(-1, chunks.length() - 1, 1);
        Tensor pairs = pairs(sums, chunks.length());
        Tensor keys = in.key().transpose(-1, -2);
        Tensor corrected = in.key().mul(in.beta().unsqueeze(-1));
        Tensor system = torch.matmul(corrected, keys).mul(pairs);
        Tensor right = torch.cat(new TensorVector(in.value().mul(in.beta().unsqueeze(-1)), corrected.mul(kept)), -1);
        Tensor solved = torch.linalg_solve_triangular(system, right, false, true, true);
        long width = in.value().size(-1);
        return scan(
                new Solved(
                        solved.narrow(-1, 0, width),
                        solved.narrow(-1, width, solved.size(-1) - width),
                        in.query().mul(kept),
                        torch.matmul(in.query(), keys).mul(pairs),
                        in.key().mul(last.sub(sums).exp().unsqueeze(-1)).transpose(-1, -2),
                        last.exp().unsqueeze(-1)),
                states,
                chunks);
    }

    /** {@code e^(G_i - G_j)} for j at or before i, 0 behind: (n, H, C, C). */
    private static Tensor pairs(Tensor sums, int length) {
        Tensor behind =
                torch.ones(new long[] {length, length}, sums.options()).triu(1).to(ScalarType.Bool);
        return sums.unsqueeze(-1)
                .sub(sums.unsqueeze(-2))
                .masked_fill(behind, new Scalar(Double.NEGATIVE_INFINITY))
                .exp();
    }

    /**
     * The terms of each chunk that do not depend on those before it.
     *
     * @param values U, (n, H, C, v)
     * @param reads W, (n, H, C, k)
     * @param query {@code e^G Q}, (n, H, C, k)
     * @param inside {@code Q K' D}, (n, H, C, C)
     * @param writes {@code (e^(G_C - G) K)'}, (n, H, k, C)
     * @param kept {@code e^G_C}, (n, H, 1, 1)
     */
    private record Solved(Tensor values, Tensor reads, Tensor query, Tensor inside, Tensor writes, Tensor kept) {
        Solved part(long from, long count) {
            return new Solved(
                    values.narrow(0, from, count),
                    reads.narrow(0, from, count),
                    query.narrow(0, from, count),
                    inside.narrow(0, from, count),
                    writes.narrow(0, from, count),
                    kept.narrow(0, from, count));
        }
    }

    private static Result scan(Solved solved, Tensor states, Chunks chunks) {
        TensorVector outputs = new TensorVector();
        List<Tensor> ended = new ArrayList<>();
        Tensor state = states;
        long at = 0;
        for (int count : chunks.active()) {
            Tensor before = endAfter(count, state, ended);
            Solved step = solved.part(at, count);
            Tensor fresh = step.values().sub(torch.matmul(step.reads(), before));
            outputs.push_back(torch.matmul(step.query(), before).add(torch.matmul(step.inside(), fresh)));
            state = before.mul(step.kept()).add(torch.matmul(step.writes(), fresh));
            at += count;
        }

        ended.add(state);
        Collections.reverse(ended);
        return new Result(torch.cat(outputs, 0), torch.cat(new TensorVector(ended.toArray(new Tensor[0])), 0));
    }

    /** The states of the first {@code count} documents; those of the others go to {@code ended}. */
    private static Tensor endAfter(long count, Tensor state, List<Tensor> ended) {
        if (count == state.size(0)) {
            return state;
        }

        ended.add(state.narrow(0, count, state.size(0) - count));
        return state.narrow(0, 0, count);
    }
}
