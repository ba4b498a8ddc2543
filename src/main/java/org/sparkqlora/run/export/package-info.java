/** A model for others: merged with its adapter, in 4 bits, as GGUF, or for a server. */
@NullMarked
package org.sparkqlora.run.export;

import org.jspecify.annotations.NullMarked;
