/** {@code demo}: the whole way on a toy model. */
@NullMarked
package org.sparkqlora.command.demo;

import org.jspecify.annotations.NullMarked;
