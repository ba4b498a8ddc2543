package org.sparkqlora.model.deltanet;

import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.tensor.Autograd;
import org.sparkqlora.tensor.TensorScope;
import org.sparkqlora.weights.family.DeltaNetShape;

/**
 * The token mixer of Qwen 3.5 ({@code Qwen3_5GatedDeltaNet} of transformers) between its projections, each document for itself:
 *
 * <pre>
 * [q k v] = silu(convolution(x))         q = q / |q| / sqrt(key size)      k = k / |k|
 * g = -e^(log A) softplus(a + bias)      beta = sigmoid(b)
 * y = norm(delta rule(q, k, v, g, beta)) silu(z)
 * </pre>
 *
 * All in float32, from and to the number format of the projections. Its gradient computes it again.
 */
public final class DeltaNet {
    // T rows, H value heads, k and v widths of a head

    /** Tokens of a chunk, as transformers and flash-linear-attention take them. */
    public static final int CHUNK = 64;

    /** Heads of values that are computed together. */
    public static final int GROUP = 8;

    /** Added to the squared length of queries and keys. */
    private static final double LENGTH_EPSILON = 1e-6;

    private final DeltaNetShape shape;
    private final double epsilon;
    private final Chunks chunks;
    private final CausalConvolution convolution;
    private final int documents;
    private final List<HeadGroup> groups;

    /**
     * The mixer of one pass.
     *
     * @param epsilon of the norm
     * @param documents of the pass
     * @param rows of the pass; those of no document give zeros
     */
    public DeltaNet(DeltaNetShape shape, double epsilon, List<Span> documents, int rows) {
        this.shape = shape;
        this.epsilon = epsilon;
        this.chunks = Chunks.of(documents, rows, CHUNK);
        this.convolution = new CausalConvolution(documents, rows, shape.kernel());
        this.documents = documents.size();
        this.groups = HeadGroup.of(shape, GROUP);
    }

    /** The states before the documents, in their order, and in another for {@code memory}: that of the chunks. */
    private record Past(Tensor memory, Tensor tails) {}

    /** The output, (T, H v), float32, and the states that it leaves behind, in the order of the chunks. */
    private record Mixed(Tensor output, Tensor memory) {}

    /**
     * The output, (T, H v).
     *
     * @param states of each document, which the pass goes on from and leaves its own in; none where every document is whole
     */
    public Tensor forward(DeltaInputs in, List<RecurrentState> states) {
        return TensorScope.keep(() -> states.isEmpty() ? whole(in) : continued(in, states));
    }

    private Tensor whole(DeltaInputs in) {
        Tensor output = torch.empty_like(in.gate().contiguous());
        for (HeadGroup group : groups) {
            TensorScope.run(() -> {
                DeltaInputs part = group.part(in);
                Mixed mixed = mixed(part, nothing(part, group.shape()), group.shape());
                group.ofOutput(output).copy_(mixed.output());
            });
        }

        return output;
    }

    private Tensor continued(DeltaInputs in, List<RecurrentState> states) {
        Past past = past(in, states);
        Mixed mixed = mixed(in, past, shape);
        Tensor tails = convolution.tails(floats(in.queryKeyValue()), past.tails());
        for (int i = 0; i < states.size(); i++) {
            int document = chunks.order()[i];
            long width = shape.kernel() - 1L;
            states.get(document).replace(mixed.memory().select(0, i), tails.narrow(0, document * width, width));
        }

        return mixed.output().to(in.queryKeyValue().scalar_type());
    }

    /** Gradients of the first {@code count} inputs in the order of {@link DeltaInputs#all}, given that of the output; documents are whole. */
    public List<Tensor> backward(DeltaInputs in, int count, Tensor outputGradient) {
        List<Tensor> sums = in.all().subList(0, count).stream()
                .map(input -> torch.zeros_like(input.contiguous()))
                .toList();
        for (HeadGroup group : groups) {
            TensorScope.run(() -> group.add(
                    Autograd.gradients(
                            all -> {
                                DeltaInputs copies = DeltaInputs.of(all);
                                return mixed(copies, nothing(copies, group.shape()), group.shape())
                                        .output()
                                        .to(copies.queryKeyValue().scalar_type());
                            },
                            group.part(in).all(),
                            count,
                            group.ofOutput(outputGradient)),
                    sums));
        }

        return sums;
    }

    /** @param sizes of the heads that the inputs are of */
    private Mixed mixed(DeltaInputs in, Past past, DeltaNetShape sizes) {
        Tensor convolved =
                torch.silu(convolution.apply(floats(in.queryKeyValue()), floats(in.convolution()), past.tails()));
        long keys = sizes.keyWidth();
        Tensor query = unit(heads(convolved.narrow(1, 0, keys), sizes.keySize()))
                .mul(new Scalar(1 / Math.sqrt(sizes.keySize())));
        Tensor key = unit(heads(convolved.narrow(1, keys, keys), sizes.keySize()));
        Tensor value = heads(convolved.narrow(1, 2 * keys, sizes.valueWidth()), sizes.valueSize());
        Tensor decay = torch.softplus(floats(in.decay()).add(floats(in.timeBias())))
                .mul(floats(in.logDecay()).exp().neg());
        GatedDeltaRule.Result read = GatedDeltaRule.apply(
                new GatedDeltaRule.Inputs(
                        forValues(byHead(query), sizes),
                        forValues(byHead(key), sizes),
                        byHead(value),
                        byHead(decay),
                        byHead(floats(in.beta()).sigmoid())),
                past.memory(),
                chunks);
        Tensor rows = chunks.joined(read.output().transpose(1, 2));
        return new Mixed(gated(rows, in), read.states());
    }

    /** (T, H v) of (T, H, v). */
    private Tensor gated(Tensor rows, DeltaInputs in) {
        Tensor gate = torch.silu(heads(floats(in.gate()), shape.valueSize()));
        Tensor squares = rows.square().mean(new long[] {-1}, true, new ScalarTypeOptional());
        return rows.mul(squares.add(new Scalar(epsilon)).rsqrt())
                .mul(floats(in.norm()))
                .mul(gate)
                .reshape(rows.size(0), -1);
    }

    private static Tensor unit(Tensor heads) {
        Tensor squares = heads.square().sum(new long[] {-1}, true, new ScalarTypeOptional());
        return heads.mul(squares.add(new Scalar(LENGTH_EPSILON)).rsqrt());
    }

    /** (chunks, heads, tokens of a chunk, ...) of (T, heads, ...). */
    private Tensor byHead(Tensor rows) {
        return chunks.cut(rows).transpose(1, 2).contiguous();
    }

    /** Repeats each head of queries or keys for the heads of values that it serves. */
    private static Tensor forValues(Tensor byHead, DeltaNetShape sizes) {
        long each = sizes.valueHeads() / sizes.keyHeads();
        return each == 1
                ? byHead
                : byHead.unsqueeze(2)
                        .expand(byHead.size(0), byHead.size(1), each, byHead.size(2), byHead.size(3))
                        .reshape(byHead.size(0), byHead.size(1) * each, byHead.size(2), byHead.size(3));
    }

    private static Tensor heads(Tensor rows, long size) {
        return rows.reshape(rows.size(0), -1, size);
    }

    private static Tensor floats(Tensor tensor) {
        return tensor.to(ScalarType.Float);
    }

    private Past nothing(DeltaInputs in, DeltaNetShape sizes) {
        return new Past(
                zeros(in, documents, sizes.valueHeads(), sizes.keySize(), sizes.valueSize()),
                zeros(in, documents * (sizes.kernel() - 1L), sizes.channels()));
    }

    private Past past(DeltaInputs in, List<RecurrentState> states) {
        Past nothing = nothing(in, shape);
        TensorVector memories = new TensorVector();
        TensorVector tails = new TensorVector();
        long width = shape.kernel() - 1L;
        for (int i = 0; i < states.size(); i++) {
            memories.push_back(
                    or(states.get(chunks.order()[i]).memory(), nothing.memory().select(0, 0)));
            tails.push_back(or(states.get(i).tail(), nothing.tails().narrow(0, 0, width)));
        }

        return new Past(torch.stack(memories, 0), torch.cat(tails, 0));
    }

    private static Tensor or(@Nullable Tensor kept, Tensor absent) {
        return kept == null ? absent : kept;
    }

    private static Tensor zeros(DeltaInputs in, long... sizes) {
        return torch.zeros(sizes, floats(in.timeBias()).options());
    }
}
