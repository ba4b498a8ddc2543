/** The output folder of a training run: the names in it, the plan that was begun there, an earlier run, and the published result. */
@NullMarked
package org.sparkqlora.run.output;

import org.jspecify.annotations.NullMarked;
