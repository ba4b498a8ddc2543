package org.sparkqlora.model;

import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.CausalAttention.Attended;

/**
 * The first half of a decoder layer: {@code y = x + output(attention(q, k, v))}, where q, k and v are projections of the normalised x,
 * q and k being normalised a head at a time where the family does so (Qwen3), then turned by their positions.
 */
record AttentionBlock(
        Normalization norm,
        LinearPass query,
        LinearPass key,
        LinearPass value,
        LinearPass output,
        @Nullable Normalization queryNorm,
        @Nullable Normalization keyNorm,
        int headSize) {

    /** A projection split in heads, (T, heads, headSize), before and after what is done to each head. */
    private record Heads(LinearPass.Tape tape, Tensor plain, Tensor turned) {}

    /** What the gradient needs of the forward pass, and its result. */
    record Tape(Tensor input, Heads query, Heads key, Heads value, Attended attended, LinearPass.Recorded projected) {
        Tensor result() {
            return input.add(projected.output());
        }
    }

    Tape record(Tensor input, PassContext context) {
        Tensor normalized = norm.forward(input);
        Heads q = heads(query.apply(normalized), queryNorm, context.rotary());
        Heads k = heads(key.apply(normalized), keyNorm, context.rotary());
        LinearPass.Recorded plainValue = value.apply(normalized);
        Tensor values = split(plainValue.output());
        Heads v = new Heads(plainValue.tape(), values, values);
        Attended attended = context.attention().forward(q.turned(), k.turned(), values, context.batch());
        return new Tape(input, q, k, v, attended, output.apply(attended.output()));
    }

    /** The gradient of the input. */
    Tensor backward(Tensor resultGradient, Tape tape, PassContext context, GradientSum gradients) {
        Tensor dOutput = output.backward(resultGradient, tape.projected().tape(), gradients);
        CausalAttention.Gradients inner = context.attention()
                .backward(
                        dOutput,
                        tape.attended(),
                        tape.query().turned(),
                        tape.key().turned(),
                        tape.value().turned(),
                        context.batch());
        Tensor dQuery = throughHeads(inner.query(), tape.query(), queryNorm, context.rotary(), gradients);
        Tensor dKey = throughHeads(inner.key(), tape.key(), keyNorm, context.rotary(), gradients);
        Tensor dNormalized = query.backward(flat(dQuery), tape.query().tape(), gradients);
        dNormalized.add_(key.backward(flat(dKey), tape.key().tape(), gradients));
        dNormalized.add_(value.backward(flat(inner.value()), tape.value().tape(), gradients));
        return norm.backward(dNormalized, tape.input(), gradients).add_(resultGradient);
    }

    private Heads heads(LinearPass.Recorded projected, @Nullable Normalization headNorm, Rotary rotary) {
        Tensor plain = split(projected.output());
        Tensor normalized = headNorm == null ? plain : headNorm.forward(plain);
        return new Heads(projected.tape(), plain, rotary.forward(normalized));
    }

    private static Tensor throughHeads(
            Tensor gradient, Heads heads, @Nullable Normalization headNorm, Rotary rotary, GradientSum gradients) {
        Tensor turnedBack = rotary.backward(gradient);
        return headNorm == null ? turnedBack : headNorm.backward(turnedBack, heads.plain(), gradients);
    }

    private Tensor split(Tensor projected) {
        return projected.view(projected.size(0), -1, headSize);
    }

    private static Tensor flat(Tensor heads) {
        return heads.view(heads.size(0), -1);
    }
}
