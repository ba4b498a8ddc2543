/** Checks and size limits of options, data and files that users provide. */
@NullMarked
package org.sparkqlora.input;

import org.jspecify.annotations.NullMarked;
