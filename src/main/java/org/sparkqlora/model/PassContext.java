package org.sparkqlora.model;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.function.LongFunction;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.ContinuedAttention.Keeping;
import org.sparkqlora.model.deltanet.DeltaNet;
import org.sparkqlora.model.deltanet.RecurrentState;
import org.sparkqlora.model.deltanet.Span;
import org.sparkqlora.model.elementwise.AttentionSinks;
import org.sparkqlora.model.experts.RouterBalance;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.shared.LayerInputs;
import org.sparkqlora.model.shared.SharedKeys;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.weights.family.ModelConfig;

/** The context that layers share during one pass over one micro-batch. */
final class PassContext {
    private final ModelConfig config;
    private final Hardware hardware;
    private final DocumentBatch batch;
    private final List<KeyValueCache> caches;
    private final Map<Rotary.Shape, Rotary.QueryAndKey> rotaries = new HashMap<>();
    private final Map<OptionalInt, CausalAttention> attentions = new HashMap<>();
    private final @Nullable DeltaNet deltaNet;
    private final @Nullable LayerInputs inputs;
    private final @Nullable RouterBalance balance;
    private final Map<Integer, SharedKeys> shared = new HashMap<>();

    /**
     * @param caches of each document before the batch, which the batch goes into; none where every document is whole
     */
    PassContext(
            ModelConfig config, DocumentBatch batch, ModelSpec spec, Hardware hardware, List<KeyValueCache> caches) {
        this.config = config;
        this.hardware = hardware;
        this.batch = batch;
        this.caches = List.copyOf(caches);
        this.deltaNet = config.traits()
                .deltaNet()
                .map(shape -> new DeltaNet(shape, config.normEpsilon(), spans(batch), batch.ids().length))
                .orElse(null);
        this.balance = config.traits()
                .mixture()
                .map(mixture -> new RouterBalance(mixture, spec.routerLoss()))
                .orElse(null);
        this.inputs = config.traits()
                .perLayer()
                .map(sizes -> new LayerInputs(scope()))
                .orElse(null);
        for (int layer = 0; layer < config.layers(); layer++) {
            if (config.keysOf(layer) != layer) {
                shared.computeIfAbsent(config.keysOf(layer), source -> new SharedKeys(scope()));
            }

            Rotary.Shape.of(config, layer)
                    .ifPresent(turn -> rotaries.computeIfAbsent(
                            turn, each -> Rotary.QueryAndKey.of(batch, each, spec.precision(), hardware)));
            attentions.computeIfAbsent(
                    config.layerTraits().get(layer).window(),
                    window -> new CausalAttention(
                            config.attentionScale(), window, config.traits().attentionCap(), hardware));
        }
    }

    /** That of the pass, which owns what its layers share. */
    private static PointerScope scope() {
        return Objects.requireNonNull(PointerScope.getInnerScope());
    }

    private static List<Span> spans(DocumentBatch batch) {
        return batch.documents().stream()
                .map(document -> new Span(document.start(), document.length()))
                .toList();
    }

    /**
     * The context of one layer.
     *
     * @param delta how the gated delta rule mixes tokens; null in a model that has none
     * @param rotary how the layer turns queries and keys; null where it does not
     * @param caches the layer's keys and values of each document's past; none where every document is whole
     * @param shared keys and values that this layer makes for later ones or takes of an earlier one; null where it does neither
     * @param inputs of single layers; null in a model without them
     * @param balance of a model of experts; null in others
     */
    record Layer(
            DocumentBatch batch,
            Rotary.@Nullable QueryAndKey rotary,
            CausalAttention attention,
            @Nullable DeltaNet delta,
            List<KeyValueCache.Layer> caches,
            @Nullable SharedKeys shared,
            @Nullable LayerInputs inputs,
            RouterBalance.@Nullable OfLayer balance,
            Hardware hardware) {
        /** This context, in which sinks take a share of attention. */
        Layer with(AttentionSinks sinks) {
            return new Layer(
                    batch, rotary, attention.withSinks(sinks), delta, caches, shared, inputs, balance, hardware);
        }

        DeltaNet deltaNet() {
            return Objects.requireNonNull(delta);
        }

        /** The states of the batch's documents; none where every document is whole. */
        List<RecurrentState> states() {
            return caches.stream().map(KeyValueCache.Layer::recurrent).toList();
        }

        @Nullable
        Rotary queryRotary() {
            return rotary == null ? null : rotary.query();
        }

        @Nullable
        Rotary keyRotary() {
            return rotary == null ? null : rotary.key();
        }

        /** Attends with queries (T, H, d) to keys and values (T, G, d) and to those of the past. */
        CausalAttention.Attended attend(
                Tensor query, Tensor key, Tensor value, boolean keeps, LongFunction<Tensor> buffer) {
            if (shared != null) {
                shared.put(key, value);
            }

            return caches.isEmpty()
                    ? attention.forward(query, key, value, batch, keeps, buffer)
                    : continued(Keeping.HERE).forward(query, key, value, buffer);
        }

        /** Attends with queries (T, H, d) to the keys and values of an earlier layer, and to those of the past. */
        CausalAttention.Attended attendToShared(Tensor query, boolean keeps, LongFunction<Tensor> buffer) {
            Tensor keys = sharedKeys().keys();
            Tensor values = sharedKeys().values();
            return caches.isEmpty()
                    ? attention.forward(query, keys, values, batch, keeps, buffer)
                    : continued(Keeping.BY_ANOTHER_LAYER).forward(query, keys, values, buffer);
        }

        SharedKeys sharedKeys() {
            return Objects.requireNonNull(shared);
        }

        RouterBalance.OfLayer routerBalance() {
            return Objects.requireNonNull(balance);
        }

        LayerInputs layerInputs() {
            return Objects.requireNonNull(inputs);
        }

        private ContinuedAttention continued(Keeping keeping) {
            return new ContinuedAttention(attention, batch, caches, keeping, hardware);
        }
    }

    /** How evenly tokens go to experts; null in a model that has none. */
    @Nullable
    RouterBalance balance() {
        return balance;
    }

    Layer layer(int index) {
        CausalAttention attention =
                attentions.get(config.layerTraits().get(index).window());
        if (attention == null) {
            throw new IllegalStateException("Cannot run a layer of another model");
        }

        return new Layer(
                batch,
                Rotary.Shape.of(config, index).map(rotaries::get).orElse(null),
                attention,
                deltaNet,
                caches.stream().map(cache -> cache.layer(config.keysOf(index))).toList(),
                shared.get(config.keysOf(index)),
                inputs,
                balance == null ? null : balance.layer(index),
                hardware);
    }
}
