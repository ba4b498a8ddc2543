/** Models in llama.cpp's GGUF files: read once, and from then on a Hugging Face folder; and written of models and adapters. */
@NullMarked
package org.sparkqlora.weights.gguf;

import org.jspecify.annotations.NullMarked;
