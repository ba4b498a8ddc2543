/** How texts are continued: how many tokens, how each is chosen, and how it attends to the keys and values that are kept. */
@NullMarked
package org.sparkqlora.model.generation;

import org.jspecify.annotations.NullMarked;
