/** {@code demo}: the whole way on a toy model. */
@NullMarked
package org.sparkqlora.cli.demo;

import org.jspecify.annotations.NullMarked;
