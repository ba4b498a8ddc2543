package org.sparkqlora.optim;

import org.sparkqlora.input.OptionChoice;

/**
 * The optimisers. A paged one computes the same bits as its plain twin, but can keep its state in a file and then holds no
 * more than two pages a thread in memory. SGD has no state, so there is nothing to page.
 */
public enum OptimizerKind implements OptionChoice {
    ADAMW,
    ADAMW_8BIT,
    PAGED_ADAMW,
    PAGED_ADAMW_8BIT,
    LION,
    LION_8BIT,
    PAGED_LION,
    PAGED_LION_8BIT,
    SGD;

    /** The kind called {@code name} in an option, such as {@code paged_adamw_8bit}. */
    public static OptimizerKind parse(String name) {
        return OptionChoice.parse(values(), name, "Cannot use optimizer '%s': expected one of %s");
    }

    /** Whether the state may live outside memory. */
    public boolean paged() {
        return this != unpaged();
    }

    /** Whether tensors that are large enough keep their state in 8 bits. */
    public boolean eightBit() {
        return switch (this) {
            case ADAMW_8BIT, PAGED_ADAMW_8BIT, LION_8BIT, PAGED_LION_8BIT -> true;
            case ADAMW, PAGED_ADAMW, LION, PAGED_LION, SGD -> false;
        };
    }

    /** The kind with the same arithmetic and the same state that keeps it in memory. */
    public OptimizerKind unpaged() {
        return switch (this) {
            case ADAMW, PAGED_ADAMW -> ADAMW;
            case ADAMW_8BIT, PAGED_ADAMW_8BIT -> ADAMW_8BIT;
            case LION, PAGED_LION -> LION;
            case LION_8BIT, PAGED_LION_8BIT -> LION_8BIT;
            case SGD -> SGD;
        };
    }
}
