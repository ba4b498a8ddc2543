package org.sparkqlora.model;

import java.util.List;
import java.util.function.LongFunction;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.CausalAttention.Attended;
import org.sparkqlora.model.elementwise.AttentionSinks;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.shared.SharedKeys;
import org.sparkqlora.tensor.TensorScope;
import org.sparkqlora.weights.family.KeyValues;

/**
 * The first part of a decoder layer: {@code output(attention(q, k, v))}, where q, k and v are projections of the part's input, q and k
 * being normalised where the family does so, then turned by their positions where the layer does so. v may be what the projection of k
 * makes, and k and v those of an earlier layer.
 */
record AttentionBlock(
        ResidualBranch branch,
        LinearGroup queryKeyValue,
        LinearGroup output,
        HeadNorms norms,
        Kind kind,
        @Nullable Sinks sinks)
        implements TokenMixer {
    /**
     * Logits that take a share of attention.
     *
     * @param place where they lie, if they train
     */
    record Sinks(AttentionSinks logits, @Nullable Parameter place) {}

    /** The norms over heads, each null without one. */
    record HeadNorms(
            @Nullable Normalization query,
            @Nullable Normalization key,
            @Nullable Normalization value) {}

    /**
     * The properties of attention that differ between layers.
     *
     * @param headSize width of a head
     * @param gated the projection of queries makes a gate behind each head's query; {@code output(attention(q, k, v) sigmoid(gate))} then
     * @param keyValues where keys and values come from
     */
    record Kind(int headSize, boolean gated, KeyValues keyValues) {
        boolean sharesKeys() {
            return keyValues instanceof KeyValues.OfLayer;
        }
    }

    /** Queries, keys or values in heads, (T, heads, headSize), as they were before a norm, if there is one, and after all that is done to them. */
    record Heads(Tensor plain, Tensor turned) {
        private Stream<Tensor> tensors() {
            return Stream.of(plain, turned);
        }
    }

    /** Keys and values that a layer makes. */
    record KeyValueHeads(Heads key, Heads value) {
        private Stream<Tensor> tensors() {
            return Stream.concat(key.tensors(), value.tensors());
        }
    }

    /**
     * The output of attention and the intermediate results that its gradient needs.
     *
     * @param own the layer's keys and values; null where it takes those of another
     * @param gate (T, heads, headSize); null without one
     */
    record Mixed(
            List<LinearPass.Tape> projections,
            Heads query,
            @Nullable KeyValueHeads own,
            @Nullable Tensor gate,
            Attended attended) {
        private Stream<Tensor> tensors() {
            return Stream.of(
                            projections.stream().flatMap(LinearPass.Tape::tensors),
                            query.tensors(),
                            own == null ? Stream.<Tensor>empty() : own.tensors(),
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

    private Mixed mixed(Tensor input, PassContext.Layer shared, boolean keeps) {
        PassContext.Layer context = sinks == null ? shared : shared.with(sinks.logits());
        LinearGroup.Recorded projections = queryKeyValue.apply(branch.enter(input, queryKeyValue::buffer));
        Tensor first = projections.outputs().get(0);
        Heads q = heads(kind.gated() ? flat(gatePart(first, 0)) : first, norms.query(), context.queryRotary());
        KeyValueHeads own = keysAndValues(projections.outputs(), context);
        Attended attended = own == null
                ? context.attendToShared(q.turned(), keeps, output::buffer)
                : context.attend(q.turned(), own.key().turned(), own.value().turned(), keeps, output::buffer);
        return new Mixed(projections.tapes(), q, own, kind.gated() ? gatePart(first, kind.headSize()) : null, attended);
    }

    private @Nullable KeyValueHeads keysAndValues(List<Tensor> projected, PassContext.Layer context) {
        if (kind.sharesKeys()) {
            return null;
        }

        Heads value = heads(projected.get(projected.size() - 1), norms.value(), null);
        return new KeyValueHeads(heads(projected.get(1), norms.key(), context.keyRotary()), value);
    }

    /** The elements from {@code from} on of each head's query and gate, (T, heads, headSize). */
    private Tensor gatePart(Tensor queryAndGate, long from) {
        return queryAndGate.view(queryAndGate.size(0), -1, 2L * kind.headSize()).narrow(2, from, kind.headSize());
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
        if (sinks == null) {
            return throughProjected(outputGradient, mixed, context, gradients);
        }

        if (sinks.place() == null) {
            return throughProjected(outputGradient, mixed, context.with(sinks.logits()), gradients);
        }

        Tensor sum = context.hardware().zeros(ScalarType.Float, sinks.place().size());
        AttentionSinks training = sinks.logits().training(sum);
        List<Tensor> made = throughProjected(outputGradient, mixed, context.with(training), gradients);
        gradients.add(sinks.place(), sum);
        return made;
    }

    private List<Tensor> throughProjected(
            Tensor outputGradient, Mixed mixed, PassContext.Layer context, GradientAccumulator gradients) {
        Tensor gate = mixed.gate();
        if (gate == null) {
            return throughAttention(
                    outputGradient,
                    mixed,
                    context,
                    gradients,
                    tokens -> buffers(queryKeyValue.gradientBuffers(tokens), context));
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
        gatePart(places.get(0), kind.headSize()).copy_(dGate);
        return List.of(places.get(0), inner.get(1), inner.get(2));
    }

    /** The gradients of queries, keys and values as they were before norms and positions. */
    private List<Tensor> throughAttention(
            Tensor outputGradient,
            Mixed mixed,
            PassContext.Layer context,
            GradientAccumulator gradients,
            LongFunction<List<Tensor>> buffers) {
        KeyValueHeads own = mixed.own();
        CausalAttention.Gradients inner = context.attention()
                .backward(
                        outputGradient,
                        mixed.attended(),
                        mixed.query().turned(),
                        own == null ? context.sharedKeys().keys() : own.key().turned(),
                        own == null
                                ? context.sharedKeys().values()
                                : own.value().turned(),
                        context.batch(),
                        buffers);
        Tensor dQuery = throughHeads(inner.query(), mixed.query(), norms.query(), context.queryRotary(), gradients);
        if (own == null) {
            context.sharedKeys().addGradients(inner.key(), inner.value());
            return List.of(flat(dQuery));
        }

        if (context.shared() != null) {
            context.shared().addTo(inner.key(), inner.value());
        }

        Tensor dKey = throughHeads(inner.key(), own.key(), norms.key(), context.keyRotary(), gradients);
        Tensor dValue = throughHeads(inner.value(), own.value(), norms.value(), null, gradients);
        return kind.keyValues() instanceof KeyValues.OneProjection
                ? List.of(flat(dQuery), flat(dKey.add_(dValue)))
                : List.of(flat(dQuery), flat(dKey), flat(dValue));
    }

    /** Buffers for the gradients of queries, keys and values, of which projections make as many as {@code places}. */
    private static List<Tensor> buffers(List<Tensor> places, PassContext.Layer context) {
        return switch (places.size()) {
            case 1 -> List.of(places.get(0), sumOf(context.sharedKeys()), sumOf(context.sharedKeys()));
            case 2 ->
                List.of(
                        places.get(0),
                        places.get(1),
                        torch.empty(places.get(1).sizes(), places.get(1).options(), null));
            default -> places;
        };
    }

    /** What several layers add to, and is rounded once. */
    private static Tensor sumOf(SharedKeys shared) {
        Tensor keys = shared.keys();
        return torch.empty(
                new long[] {keys.size(0), keys.size(1) * keys.size(2)},
                keys.options().dtype(new ScalarTypeOptional(ScalarType.Float)),
                null);
    }

    private Heads heads(Tensor projected, @Nullable Normalization norm, @Nullable Rotary rotary) {
        // A norm's width says whether it is over single heads or over all.
        Tensor plain =
                norm == null ? split(projected) : projected.contiguous().view(projected.size(0), -1, norm.width());
        Tensor normalized = norm == null ? plain : norm.forward(plain).view(projected.size(0), -1, kind.headSize());
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
        return projected.view(projected.size(0), -1, kind.headSize());
    }

    private static Tensor flat(Tensor heads) {
        return heads.reshape(heads.size(0), -1);
    }
}
