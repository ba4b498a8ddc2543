package org.sparkqlora.model;

import org.jspecify.annotations.Nullable;

/**
 * What of one linear module trains.
 *
 * @param weight its weight, when all weights train
 * @param bias its bias, when all weights train and it has one
 * @param adapter its adapter, when it carries one
 */
record LinearPlace(
        @Nullable Parameter weight,
        @Nullable Parameter bias,
        @Nullable AdapterPlace adapter) {
    static final LinearPlace FROZEN = new LinearPlace(null, null, null);
}
