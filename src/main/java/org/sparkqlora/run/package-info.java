/** The work behind the commands: a training run, preparation, evaluation, merging and answers. */
@NullMarked
package org.sparkqlora.run;

import org.jspecify.annotations.NullMarked;
