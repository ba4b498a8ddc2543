/** Checks and size limits of options, data and files that users provide, and how their numbers and texts are written. */
@NullMarked
package org.sparkqlora.input;

import org.jspecify.annotations.NullMarked;
