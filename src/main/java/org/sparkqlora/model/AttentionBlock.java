package org.sparkqlora.model;

import java.util.List;
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
        LinearPass output,
        @Nullable Normalization queryNorm,
        @Nullable Normalization keyNorm,
        int headSize) {

    /** Queries or keys in heads, (T, heads, headSize), before and after what is done to them. */
    private record Heads(Tensor plain, Tensor turned) {}

    /** What the gradient needs of the forward pass, and its result. */
    record Tape(
            Tensor input,
            List<LinearPass.Tape> projections,
            Heads query,
            Heads key,
            Tensor value,
            Attended attended,
            LinearPass.Recorded projected,
            Tensor result) {}

    Tape record(Tensor input, PassContext.Layer context) {
        SharedInput.Recorded projections = queryKeyValue.apply(branch.enter(input));
        Heads q = heads(projections.outputs().get(0), queryNorm, context.rotary());
        Heads k = heads(projections.outputs().get(1), keyNorm, context.rotary());
        Tensor values = split(projections.outputs().get(2));
        KeysAndValues seen = context.seen(k.turned(), values);
        Attended attended = context.attention().forward(q.turned(), seen.keys(), seen.values(), context.batch());
        LinearPass.Recorded projected = output.apply(attended.output());
        Tensor result = branch.leave(input, projected.output());
        return new Tape(input, projections.tapes(), q, k, values, attended, projected, result);
    }

    /** The gradient of the input. */
    Tensor backward(Tensor resultGradient, Tape tape, PassContext.Layer context, GradientSum gradients) {
        LinearPass.Recorded projected = tape.projected();
        Tensor dProjected = branch.throughLeave(resultGradient, projected.output(), gradients);
        Tensor dOutput = output.backward(dProjected, projected.tape(), gradients);
        CausalAttention.Gradients inner = context.attention()
                .backward(
                        dOutput,
                        tape.attended(),
                        tape.query().turned(),
                        tape.key().turned(),
                        tape.value(),
                        context.batch());
        Tensor dQuery = throughHeads(inner.query(), tape.query(), queryNorm, context.rotary(), gradients);
        Tensor dKey = throughHeads(inner.key(), tape.key(), keyNorm, context.rotary(), gradients);
        Tensor dEntered = queryKeyValue.backward(
                List.of(flat(dQuery), flat(dKey), flat(inner.value())), tape.projections(), gradients);
        return branch.throughEnter(dEntered, tape.input(), resultGradient, gradients);
    }

    private Heads heads(Tensor projected, @Nullable Normalization norm, @Nullable Rotary rotary) {
        // A norm's width says whether it is over single heads or over all.
        Tensor plain = norm == null ? split(projected) : projected.view(projected.size(0), -1, norm.width());
        Tensor normalized = norm == null ? plain : norm.forward(plain).view(projected.size(0), -1, headSize);
        return new Heads(plain, rotary == null ? normalized : rotary.forward(normalized));
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
                : norm.backward(turnedBack.view(heads.plain().sizes()), heads.plain(), gradients);
    }

    private Tensor split(Tensor projected) {
        return projected.view(projected.size(0), -1, headSize);
    }

    private static Tensor flat(Tensor heads) {
        return heads.view(heads.size(0), -1);
    }
}
