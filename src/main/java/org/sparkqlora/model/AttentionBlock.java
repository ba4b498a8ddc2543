package org.sparkqlora.model;

import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.CausalAttention.Attended;
import org.sparkqlora.model.KeyValueCache.KeysAndValues;

/**
 * The first part of a decoder layer: {@code output(attention(q, k, v))}, where q, k and v are projections of the part's input, q and k
 * being normalised where the family does so, then turned by their positions where the layer does so.
 */
record AttentionBlock(
        ResidualBranch branch,
        SharedInput queryKeyValue,
        SharedInput output,
        @Nullable Normalization queryNorm,
        @Nullable Normalization keyNorm,
        int headSize) {

    /** Queries or keys in heads, (T, heads, headSize), as they were before a norm, if there is one, and after all that is done to them. */
    record Heads(Tensor plain, Tensor turned) {}

    /**
     * What the gradient needs of the forward pass, and its result.
     *
     * @param made what the part made; null where nothing looks at it
     */
    record Tape(
            Tensor input,
            List<LinearPass.Tape> projections,
            Heads query,
            Heads key,
            Tensor value,
            Attended attended,
            List<LinearPass.Tape> output,
            @Nullable Tensor made,
            Tensor result) {
        /** All tensors but the input; some may come twice. */
        Stream<Tensor> tensors() {
            return Stream.of(
                            projections.stream().flatMap(LinearPass.Tape::tensors),
                            Stream.of(query.plain(), query.turned(), key.plain(), key.turned(), value, result),
                            attended.tensors(),
                            output.stream().flatMap(LinearPass.Tape::tensors),
                            Stream.ofNullable(made))
                    .flatMap(each -> each);
        }
    }

    /**
     * The result, and what its gradient needs.
     *
     * @param keeps whether that is to hold the probabilities of attention, which the gradient computes again otherwise
     */
    Tape record(Tensor input, PassContext.Layer context, boolean keeps) {
        SharedInput.Recorded projections = queryKeyValue.apply(branch.enter(input, queryKeyValue::room));
        Heads q = heads(projections.outputs().get(0), queryNorm, context.rotary());
        Heads k = heads(projections.outputs().get(1), keyNorm, context.rotary());
        Tensor values = split(projections.outputs().get(2));
        KeysAndValues seen = context.seen(k.turned(), values);
        Attended attended = context.attention()
                .forward(q.turned(), seen.keys(), seen.values(), context.batch(), keeps, output::room);
        SharedInput.Recorded projected = output.apply(attended.output());
        Tensor made = projected.outputs().get(0);
        Tensor result = branch.leave(input, made);
        Tensor needed = branch.needsOutput() ? made : null;
        return new Tape(input, projections.tapes(), q, k, values, attended, projected.tapes(), needed, result);
    }

    /** The gradient of the input. */
    Tensor backward(Tensor resultGradient, Tape tape, PassContext.Layer context, GradientSum gradients) {
        Tensor dProjected = branch.throughLeave(resultGradient, tape.made(), gradients);
        Tensor dOutput = output.backwardOf(dProjected, tape.output(), gradients);
        CausalAttention.Gradients inner = context.attention()
                .backward(
                        dOutput,
                        tape.attended(),
                        tape.query().turned(),
                        tape.key().turned(),
                        tape.value(),
                        context.batch(),
                        queryKeyValue::gradientRoom);
        Tensor dQuery = throughHeads(inner.query(), tape.query(), queryNorm, context.rotary(), gradients);
        Tensor dKey = throughHeads(inner.key(), tape.key(), keyNorm, context.rotary(), gradients);
        Tensor dEntered = queryKeyValue.backward(
                List.of(flat(dQuery), flat(dKey), flat(inner.value())), tape.projections(), gradients);
        return branch.throughEnter(dEntered, tape.input(), resultGradient, gradients);
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
            GradientSum gradients) {
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
