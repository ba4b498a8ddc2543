/** Packing of tokenised documents into rows of a fixed length, and how rows are stored. */
@NullMarked
package org.sparkqlora.tokenizer.packing;

import org.jspecify.annotations.NullMarked;
