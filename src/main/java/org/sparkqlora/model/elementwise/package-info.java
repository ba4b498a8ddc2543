/** Operations between products: of each number, or of each row. */
@NullMarked
package org.sparkqlora.model.elementwise;

import org.jspecify.annotations.NullMarked;
