/**
 * What the layers of one pass share beside the residual stream: room for their weights, inputs of single layers, keys and values of an earlier
 * one.
 */
@NullMarked
package org.sparkqlora.model.shared;

import org.jspecify.annotations.NullMarked;
