/** Losses as functions of what a model computes: log-probabilities of tokens, or scores of texts. */
@NullMarked
package org.sparkqlora.model.loss;

import org.jspecify.annotations.NullMarked;
