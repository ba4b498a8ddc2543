/** The loss and the measures of a model over examples. */
@NullMarked
package org.sparkqlora.run.evaluate;

import org.jspecify.annotations.NullMarked;
