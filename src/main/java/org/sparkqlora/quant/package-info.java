/**
 * Blockwise quantisation in plain Java: 4-bit codes for frozen weights, 8-bit codes for their scales and for optimiser
 * state. The arithmetic is that of bitsandbytes, bit for bit, whatever the number of threads or the width of the vectors.
 */
@NullMarked
package org.sparkqlora.quant;

import org.jspecify.annotations.NullMarked;
