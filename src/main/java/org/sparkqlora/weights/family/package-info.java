/** {@code config.json} and the decoder families that it may describe: sizes, traits of layers, names of weights, rotary positions. */
@NullMarked
package org.sparkqlora.weights.family;

import org.jspecify.annotations.NullMarked;
