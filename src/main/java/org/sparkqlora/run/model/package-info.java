/** The model that a command works with: its base, checked; its adapter and added tokens; the first values of what trains; and its weights for a notebook to look at. */
@NullMarked
package org.sparkqlora.run.model;

import org.jspecify.annotations.NullMarked;
