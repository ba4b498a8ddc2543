/** A training run from its options to its published result. */
@NullMarked
package org.sparkqlora.run.train;

import org.jspecify.annotations.NullMarked;
