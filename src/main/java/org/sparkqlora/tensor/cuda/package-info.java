/** NVIDIA GPUs through CUDA's driver API, and kernels of our own that are compiled for the card that is found. */
@NullMarked
package org.sparkqlora.tensor.cuda;

import org.jspecify.annotations.NullMarked;
