/** {@code compare}: the same training by several methods. */
@NullMarked
package org.sparkqlora.cli.compare;

import org.jspecify.annotations.NullMarked;
