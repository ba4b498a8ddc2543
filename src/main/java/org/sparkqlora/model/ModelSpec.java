package org.sparkqlora.model;

import java.io.Serializable;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.quant.QuantSpec;

/**
 * How a base model is loaded and what of it trains.
 *
 * @param quant how projections are quantised; used by {@link Method#QLORA} only
 * @param lora the adapters; null exactly for {@link Method#FULL}, and for a base evaluated without an adapter
 */
public record ModelSpec(
        Method method,
        Precision precision,
        QuantSpec quant,
        @Nullable LoraSpec lora) implements Serializable {
    public ModelSpec {
        if (method == Method.FULL && lora != null) {
            throw new IllegalArgumentException(
                    "Cannot add adapters to a full fine-tuning: every weight trains already");
        }
    }
}
