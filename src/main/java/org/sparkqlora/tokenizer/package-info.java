/** Text to token ids and loss masks, and packing of documents into rows of one width. */
@NullMarked
package org.sparkqlora.tokenizer;

import org.jspecify.annotations.NullMarked;
