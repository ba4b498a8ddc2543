/** Safetensors files, read through mapped memory and written piece by piece; numbers and JSON as Python's libraries write them. */
@NullMarked
package org.sparkqlora.weights.safetensors;

import org.jspecify.annotations.NullMarked;
