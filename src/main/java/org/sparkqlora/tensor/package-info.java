/** The border to libtorch: natives, devices, threads, dtypes, and the flat float32 vector that everything trainable lives in. */
@NullMarked
package org.sparkqlora.tensor;

import org.jspecify.annotations.NullMarked;
