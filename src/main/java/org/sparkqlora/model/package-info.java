/** Decoder families: forward pass, loss and gradient of one micro-batch, with LoRA around frozen layers or all weights trained. */
@NullMarked
package org.sparkqlora.model;

import org.jspecify.annotations.NullMarked;
