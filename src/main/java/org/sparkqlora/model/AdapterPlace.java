package org.sparkqlora.model;

import org.jspecify.annotations.Nullable;

/**
 * Where the adapter of one linear module lies in the flat vector.
 *
 * @param down LoRA's A, (rank, inputs)
 * @param up LoRA's B, (outputs, rank)
 * @param magnitude DoRA's magnitude, (outputs); null without weight decomposition
 * @param scale factor on the low-rank term
 */
record AdapterPlace(Parameter down, Parameter up, @Nullable Parameter magnitude, double scale) {}
