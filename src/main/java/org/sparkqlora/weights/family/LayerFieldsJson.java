package org.sparkqlora.weights.family;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.IntFunction;
import org.sparkqlora.weights.safetensors.FieldsJson;

/** The fields of {@code config.json} that speak of single layers. */
record LayerFieldsJson(FieldsJson fields, double theta, int maxPositions) {
    static final String FULL = "full_attention";
    static final String SLIDING = "sliding_attention";

    int layers() {
        return fields.count("num_hidden_layers");
    }

    /** The rotary embedding of all layers. */
    RotarySpec rotary() {
        return RotaryJson.read(fields, theta, maxPositions);
    }

    /**
     * The rotary embedding of full layers where windowed ones turn otherwise: {@code rope_parameters} names one for each kind, and
     * {@code rope_scaling}, of older configs, speaks of full layers.
     */
    RotarySpec fullRotary() {
        return RotaryJson.readScaled(fields, FULL, theta, maxPositions);
    }

    /** That which {@code rope_parameters} names for layers of {@code kind}; unscaled and with the base {@code absent} where it names none. */
    RotarySpec unscaledRotaryOf(String kind, double absent) {
        FieldsJson parameters = fields.object("rope_parameters");
        return RotaryJson.readPart(parameters.object(kind), absent, maxPositions);
    }

    /** The texts under the first of {@code keys} that there is; none without them. */
    List<String> names(String... keys) {
        List<String> names = new ArrayList<>();
        for (String key : keys) {
            if (names.isEmpty()) {
                fields.node().path(key).forEach(name -> names.add(name.asText()));
            }
        }

        return names;
    }

    /** Layers that all turn alike and see {@code window} tokens. */
    List<LayerTraits> alike(OptionalInt window) {
        return Collections.nCopies(layers(), new LayerTraits(window, Optional.of(rotary())));
    }

    /** The kind of attention of each layer; {@code absent} says it where the config does not. */
    List<String> kinds(IntFunction<String> absent) {
        return kindsOf(List.of(FULL, SLIDING), absent);
    }

    /** As {@link #kinds}, where the last of each {@code interval} layers sees all tokens unless the config says otherwise. */
    List<String> kindsFullEvery(int interval) {
        return kinds(layer -> (layer + 1) % interval == 0 ? FULL : SLIDING);
    }

    /** As {@link #kinds}, of layers that are one of {@code known}. */
    List<String> kindsOf(List<String> known, IntFunction<String> absent) {
        JsonNode given = fields.node().path("layer_types");
        List<String> kinds = new ArrayList<>();
        for (int layer = 0; layer < layers(); layer++) {
            String kind = given.has(layer) ? given.get(layer).asText() : absent.apply(layer);
            if (!known.contains(kind)) {
                throw fields.unsupported("layer_types", kind, String.join(" or ", known));
            }

            kinds.add(kind);
        }

        return kinds;
    }

    /** The keys of layer {@code layer} in the object {@code key}; {@code known} are those that are understood. */
    FieldsJson overrides(String key, int layer, List<String> known) {
        FieldsJson own = fields.object(key).object(String.valueOf(layer));
        own.node().fieldNames().forEachRemaining(name -> {
            if (!known.contains(name)) {
                throw fields.unsupported(key, name, String.join(" or ", known));
            }
        });
        return own;
    }

    /** Layers that turn alike, of which the sliding ones see {@code window} tokens. */
    List<LayerTraits> windowed(List<String> kinds, OptionalInt window) {
        RotarySpec rotary = rotary();
        return windowed(kinds, window, rotary, rotary);
    }

    /** Layers of which the sliding ones see {@code window} tokens, and turn by {@code sliding} where the others turn by {@code full}. */
    List<LayerTraits> windowed(List<String> kinds, OptionalInt window, RotarySpec full, RotarySpec sliding) {
        LayerTraits whole = new LayerTraits(OptionalInt.empty(), Optional.of(full));
        LayerTraits windowed = new LayerTraits(window, Optional.of(sliding));
        return kinds.stream()
                .map(kind -> kind.equals(SLIDING) ? windowed : whole)
                .toList();
    }

    /** Whether each layer turns; {@code absent} says it where {@code key} does not. */
    List<Boolean> turning(String key, IntFunction<Boolean> absent) {
        JsonNode given = fields.node().path(key);
        List<Boolean> turning = new ArrayList<>();
        for (int layer = 0; layer < layers(); layer++) {
            turning.add(given.has(layer) ? given.get(layer).asInt() != 0 : absent.apply(layer));
        }

        return turning;
    }
}
