/**
 * The base model on disk: its config, safetensors files, bitsandbytes 4-bit folders, and the quantised cache.
 *
 * <p>Files are untrusted: everything is checked against the length of the file before it is used, and pickles are refused.
 * Tensors are mapped, not read, so that all processes of a host share one copy.
 */
@NullMarked
package org.sparkqlora.weights;

import org.jspecify.annotations.NullMarked;
