/** {@code compare}: the same training by several methods. */
@NullMarked
package org.sparkqlora.command.compare;

import org.jspecify.annotations.NullMarked;
