/** Models in llama.cpp's GGUF files: read once, and from then on a Hugging Face folder. */
@NullMarked
package org.sparkqlora.weights.gguf;

import org.jspecify.annotations.NullMarked;
