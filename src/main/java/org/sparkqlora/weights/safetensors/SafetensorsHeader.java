package org.sparkqlora.weights.safetensors;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The table of contents of a safetensors file.
 *
 * @param metadata the texts under {@code __metadata__}
 * @param slots the tensors, in the order of their bytes, which leave no gap
 */
record SafetensorsHeader(Map<String, String> metadata, List<Slot> slots) {
    SafetensorsHeader {
        metadata = Map.copyOf(metadata);
        slots = List.copyOf(slots);
    }

    Map<String, Slot> byName() {
        return slots.stream()
                .collect(Collectors.toMap(
                        slot -> slot.spec().name(), Function.identity(), (a, b) -> a, LinkedHashMap::new));
    }

    /**
     * A tensor and its place.
     *
     * @param begin first byte, counted from the end of the header
     * @param end byte after the last
     */
    record Slot(TensorSpec spec, long begin, long end) {}
}
