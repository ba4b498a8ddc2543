package org.sparkqlora.model;

import java.util.List;
import java.util.function.LongFunction;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.CausalAttention.Attended;
import org.sparkqlora.tensor.TensorScope;

/**
 * The first part of a decoder layer: {@code output(attention(q, k, v))}, where q, k and v are projections of the part's input, q and k
 * being normalised where the family does so, then turned by their positions where the layer does so.
 *
 * @param gated the projection of queries makes a gate behind each head's query; {@code output(attention(q, k, v) sigmoid(gate))} then
 */
record AttentionBlock(
        ResidualBranch branch,
        LinearGroup queryKeyValue,
        LinearGroup output,
        @Nullable Normalization queryNorm,
        @Nullable Normalization keyNorm,
        int headSize,
        boolean gated)
        implements TokenMixer {

    /** Queries or keys in heads, (T, heads, headSize), as they were before a norm, if there is one, and after all that is done to them. */
    record Heads(Tensor plain, Tensor turned) {}

    /**
     * The output of attention and the intermediate results that its gradient needs.
     *
     * @param gate (T, heads, headSize); null without one
     */
    record Mixed(
            List<LinearPass.Tape> projections,
            Heads query,
            Heads key,
            Tensor value,
            @Nullable Tensor gate,
            Attended attended) {
        private Stream<Tensor> tensors() {
            return Stream.of(
                            projections.stream().flatMap(LinearPass.Tape::tensors),
                            Stream.of(query.plain(), query.turned(), key.plain(), key.turned(), value),
                            Stream.ofNullable(gate),
                            attended.tensors())
                    .flatMap(each -> each);
        }
    }

    /**
     * The result of the forward pass and the intermediate results that the gradient needs.
     *
     * @param made output of the part; null where nothing reads it
     */
    record Tape(
            Tensor input,
            Mixed mixed,
            List<LinearPass.Tape> output,
            @Nullable Tensor made,
            Tensor result) implements TokenMixer.Tape {
        @Override
        public Stream<Tensor> tensors() {
            return Stream.of(
                            mixed.tensors(),
                            output.stream().flatMap(LinearPass.Tape::tensors),
                            Stream.ofNullable(made),
                            Stream.of(result))
                    .flatMap(each -> each);
        }
    }

    /** {@inheritDoc} Those are the probabilities of attention. */
    @Override
    public Tape record(Tensor input, PassContext.Layer context, boolean keeps) {
        Mixed mixed = mixed(input, context, keeps);
        LinearGroup.Recorded projected = output.apply(gated(mixed));
        Tensor made = projected.outputs().get(0);
        Tensor result = branch.leave(input, made);
        return new Tape(input, mixed, projected.tapes(), branch.needsOutput() ? made : null, result);
    }

    /** As the interface says. What a step leaves is freed at once, so that the next one finds memory that is still in a cache. */
    @Override
    public Tensor forward(Tensor input, PassContext.Layer context) {
        return TensorScope.keep(() -> {
            Tensor attended = TensorScope.keep(() -> gated(mixed(input, context, false)));
            Tensor made =
                    TensorScope.keep(() -> output.apply(attended).outputs().get(0));
            TensorScope.free(attended);
            return branch.leave(input, made);
        });
    }

    private Mixed mixed(Tensor input, PassContext.Layer context, boolean keeps) {
        LinearGroup.Recorded projections = queryKeyValue.apply(branch.enter(input, queryKeyValue::buffer));
        Tensor first = projections.outputs().get(0);
        Heads q = heads(gated ? flat(gatePart(first, 0)) : first, queryNorm, context.queryRotary());
        Heads k = heads(projections.outputs().get(1), keyNorm, context.keyRotary());
        Tensor values = split(projections.outputs().get(2));
        Attended attended = context.attend(q.turned(), k.turned(), values, keeps, output::buffer);
        return new Mixed(projections.tapes(), q, k, values, gated ? gatePart(first, headSize) : null, attended);
    }

    /** The elements from {@code from} on of each head's query and gate, (T, heads, headSize). */
    private Tensor gatePart(Tensor queryAndGate, long from) {
        return queryAndGate.view(queryAndGate.size(0), -1, 2L * headSize).narrow(2, from, headSize);
    }

    /** What the output projection gets, (T, heads headSize). */
    private Tensor gated(Mixed mixed) {
        Tensor attended = mixed.attended().output();
        Tensor gate = mixed.gate();
        if (gate == null) {
            return attended;
        }

        return TensorScope.keep(() -> {
            Tensor factor = flat(gate.to(ScalarType.Float).sigmoid());
            return output.buffer(attended.size(0)).copy_(factor.mul(attended));
        });
    }

    @Override
    public Tensor backward(
            Tensor resultGradient, TokenMixer.Tape recorded, PassContext.Layer context, GradientAccumulator gradients) {
        Tape tape = (Tape) recorded;
        Tensor dOutput = TensorScope.keep(() -> output.backwardOf(
                branch.throughLeave(resultGradient, tape.made(), gradients), tape.output(), gradients));
        List<Tensor> dProjected =
                TensorScope.keepAll(() -> throughMixed(dOutput, tape.mixed(), context, gradients), each -> each);
        TensorScope.free(dOutput);
        Tensor dEntered = TensorScope.keep(
                () -> queryKeyValue.backward(dProjected, tape.mixed().projections(), gradients));
        dProjected.forEach(TensorScope::free);
        return branch.throughEnter(dEntered, tape.input(), resultGradient, gradients);
    }

    /** The gradients of what the projections made. */
    private List<Tensor> throughMixed(
            Tensor outputGradient, Mixed mixed, PassContext.Layer context, GradientAccumulator gradients) {
        Tensor gate = mixed.gate();
        if (gate == null) {
            return throughAttention(outputGradient, mixed, context, gradients, queryKeyValue::gradientBuffers);
        }

        Tensor factor = gate.to(ScalarType.Float).sigmoid();
        Tensor dAttended = flat(factor).mul(outputGradient).to(outputGradient.scalar_type());
        List<Tensor> places = queryKeyValue.gradientBuffers(outputGradient.size(0));
        List<Tensor> inner = throughAttention(
                dAttended,
                mixed,
                context,
                gradients,
                tokens -> List.of(
                        torch.empty(new long[] {tokens, dAttended.size(1)}, dAttended.options(), null),
                        places.get(1),
                        places.get(2)));
        Tensor slope = factor.mul(factor.neg().add(new Scalar(1)));
        Tensor dGate =
                slope.mul(split(outputGradient)).mul(split(mixed.attended().output()));
        gatePart(places.get(0), 0).copy_(split(inner.get(0)));
        gatePart(places.get(0), headSize).copy_(dGate);
        return List.of(places.get(0), inner.get(1), inner.get(2));
    }

    /** The gradients of queries, keys and values as they were before norms and positions. */
    private List<Tensor> throughAttention(
            Tensor outputGradient,
            Mixed mixed,
            PassContext.Layer context,
            GradientAccumulator gradients,
            LongFunction<List<Tensor>> buffers) {
        CausalAttention.Gradients inner = context.attention()
                .backward(
                        outputGradient,
                        mixed.attended(),
                        mixed.query().turned(),
                        mixed.key().turned(),
                        mixed.value(),
                        context.batch(),
                        buffers);
        Tensor dQuery = throughHeads(inner.query(), mixed.query(), queryNorm, context.queryRotary(), gradients);
        Tensor dKey = throughHeads(inner.key(), mixed.key(), keyNorm, context.keyRotary(), gradients);
        return List.of(flat(dQuery), flat(dKey), flat(inner.value()));
    }

    private Heads heads(Tensor projected, @Nullable Normalization norm, @Nullable Rotary rotary) {
        // A norm's width says whether it is over single heads or over all.
        Tensor plain =
                norm == null ? split(projected) : projected.contiguous().view(projected.size(0), -1, norm.width());
        Tensor normalized = norm == null ? plain : norm.forward(plain).view(projected.size(0), -1, headSize);
        Tensor turned = rotary == null ? normalized : rotary.forward(normalized);
        return new Heads(norm == null ? turned : plain, turned);
    }

    private static Tensor throughHeads(
            Tensor gradient,
            Heads heads,
            @Nullable Normalization norm,
            @Nullable Rotary rotary,
            GradientAccumulator gradients) {
        Tensor turnedBack = rotary == null ? gradient : rotary.backward(gradient);
        return norm == null
                ? turnedBack
                : gradient.copy_(norm.backward(turnedBack.reshape(heads.plain().sizes()), heads.plain(), gradients)
                        .view(gradient.sizes()));
    }

    private Tensor split(Tensor projected) {
        return projected.view(projected.size(0), -1, headSize);
    }

    private static Tensor flat(Tensor heads) {
        return heads.reshape(heads.size(0), -1);
    }
}
