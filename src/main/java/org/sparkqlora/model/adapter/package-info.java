/** Adapters: initial values of what trains, dropout and low-rank terms in a pass, merging into weights, and conversion. */
@NullMarked
package org.sparkqlora.model.adapter;

import org.jspecify.annotations.NullMarked;
