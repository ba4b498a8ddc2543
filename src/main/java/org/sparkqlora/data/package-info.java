/** A training example as a value, the record formats it is read from, and rendering by chat template. */
@NullMarked
package org.sparkqlora.data;

import org.jspecify.annotations.NullMarked;
