package org.sparkqlora.model;

import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.CausalAttention.Attended;
import org.sparkqlora.tensor.TensorScope;

/**
 * The first part of a decoder layer: {@code output(attention(q, k, v))}, where q, k and v are projections of the part's input, q and k
 * being normalised where the family does so, then turned by their positions where the layer does so.
 */
record AttentionBlock(
        ResidualBranch branch,
        LinearGroup queryKeyValue,
        LinearGroup output,
        @Nullable Normalization queryNorm,
        @Nullable Normalization keyNorm,
        int headSize) {

    /** Queries or keys in heads, (T, heads, headSize), as they were before a norm, if there is one, and after all that is done to them. */
    record Heads(Tensor plain, Tensor turned) {}

    /** The output of attention and the intermediate results that its gradient needs. */
    record Mixed(List<LinearPass.Tape> projections, Heads query, Heads key, Tensor value, Attended attended) {
        private Stream<Tensor> tensors() {
            return Stream.of(
                            projections.stream().flatMap(LinearPass.Tape::tensors),
                            Stream.of(query.plain(), query.turned(), key.plain(), key.turned(), value),
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
            Tensor result) {
        /** All tensors but the input; some may come twice. */
        Stream<Tensor> tensors() {
            return Stream.of(
                            mixed.tensors(),
                            output.stream().flatMap(LinearPass.Tape::tensors),
                            Stream.ofNullable(made),
                            Stream.of(result))
                    .flatMap(each -> each);
        }
    }

    /**
     * The result, and what its gradient needs.
     *
     * @param keeps whether that is to hold the probabilities of attention, which the gradient computes again otherwise
     */
    Tape record(Tensor input, PassContext.Layer context, boolean keeps) {
        Mixed mixed = mixed(input, context, keeps);
        LinearGroup.Recorded projected = output.apply(mixed.attended().output());
        Tensor made = projected.outputs().get(0);
        Tensor result = branch.leave(input, made);
        return new Tape(input, mixed, projected.tapes(), branch.needsOutput() ? made : null, result);
    }

    /** The result. What a step leaves is freed at once, so that the next one finds memory that is still in a cache. */
    Tensor forward(Tensor input, PassContext.Layer context) {
        return TensorScope.keep(() -> {
            Tensor attended = TensorScope.keep(
                    () -> mixed(input, context, false).attended().output());
            Tensor made =
                    TensorScope.keep(() -> output.apply(attended).outputs().get(0));
            TensorScope.free(attended);
            return branch.leave(input, made);
        });
    }

    private Mixed mixed(Tensor input, PassContext.Layer context, boolean keeps) {
        LinearGroup.Recorded projections = queryKeyValue.apply(branch.enter(input, queryKeyValue::buffer));
        Heads q = heads(projections.outputs().get(0), queryNorm, context.queryRotary());
        Heads k = heads(projections.outputs().get(1), keyNorm, context.keyRotary());
        Tensor values = split(projections.outputs().get(2));
        Attended attended = context.attention()
                .forward(q.turned(), context.seen(k.turned(), values), context.batch(), keeps, output::buffer);
        return new Mixed(projections.tapes(), q, k, values, attended);
    }

    /** The gradient of the input. */
    Tensor backward(Tensor resultGradient, Tape tape, PassContext.Layer context, GradientAccumulator gradients) {
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
        CausalAttention.Gradients inner = context.attention()
                .backward(
                        outputGradient,
                        mixed.attended(),
                        mixed.query().turned(),
                        mixed.key().turned(),
                        mixed.value(),
                        context.batch(),
                        queryKeyValue::gradientBuffers);
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
        return heads.view(heads.size(0), -1);
    }
}
