/** Mixtures of experts: which experts each token goes to, and what one expert computes. */
@NullMarked
package org.sparkqlora.model.experts;

import org.jspecify.annotations.NullMarked;
