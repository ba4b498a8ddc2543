/** Rows for training, made of examples, with the report on them and warnings. */
@NullMarked
package org.sparkqlora.run.prepare;

import org.jspecify.annotations.NullMarked;
