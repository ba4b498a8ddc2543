package org.sparkqlora.model.layout;

import java.io.Serializable;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.quant.QuantSpec;

/**
 * The format of a base model in memory and the part of it that trains.
 *
 * @param quant how projections are quantised; used by {@link Method#QLORA} only
 * @param lora the adapters; null exactly for {@link Method#FULL}, and for a base evaluated without an adapter
 * @param noise NEFTune's alpha: how much noise embedded tokens get in training; 0 is none
 * @param routerLoss how much the balance of experts counts in training; 0 is nothing
 */
public record ModelSpec(
        Method method,
        Precision precision,
        QuantSpec quant,
        @Nullable LoraSpec lora,
        double noise,
        double routerLoss) implements Serializable {
    public ModelSpec {
        if (method == Method.FULL && lora != null) {
            throw new BadInputException("Cannot add adapters to a full fine-tuning: every weight trains already");
        }

        if (!(noise >= 0 && Double.isFinite(noise))) {
            throw new BadInputException(
                    "Cannot add noise of alpha %s to embedded tokens: expected 0 (off) or more".formatted(noise));
        }

        if (!(routerLoss >= 0 && Double.isFinite(routerLoss))) {
            throw new BadInputException(
                    "Cannot balance experts by a loss of weight %s: expected 0 (off) or more".formatted(routerLoss));
        }
    }

    /** A model whose experts need no balance. */
    public ModelSpec(Method method, Precision precision, QuantSpec quant, @Nullable LoraSpec lora, double noise) {
        this(method, precision, quant, lora, noise, 0);
    }

    /** A model whose embedded tokens stay as they are. */
    public ModelSpec(Method method, Precision precision, QuantSpec quant, @Nullable LoraSpec lora) {
        this(method, precision, quant, lora, 0);
    }

    /** Whether no matrix as large as the embedding trains. */
    public boolean trainsAdaptersAlone() {
        return method != Method.FULL && (lora == null || lora.saved().isEmpty());
    }

    /** This frozen base, which has no adapters, with some. */
    public ModelSpec adapted(LoraSpec adapters) {
        if (method == Method.FULL || lora != null) {
            throw new IllegalStateException("Cannot add adapters: expected a frozen base without any");
        }

        return new ModelSpec(method, precision, quant, adapters, noise, routerLoss);
    }

    /** This spec with NEFTune's noise. */
    public ModelSpec withNoise(double alpha) {
        return new ModelSpec(method, precision, quant, lora, alpha, routerLoss);
    }

    /** This spec with a loss that balances experts, of that weight. */
    public ModelSpec withRouterLoss(double weight) {
        return new ModelSpec(method, precision, quant, lora, noise, weight);
    }
}
