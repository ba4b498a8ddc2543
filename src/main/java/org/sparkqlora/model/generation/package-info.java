/** How texts are continued: how many tokens, and how each is chosen. */
@NullMarked
package org.sparkqlora.model.generation;

import org.jspecify.annotations.NullMarked;
