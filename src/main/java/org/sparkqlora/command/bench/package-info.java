/** {@code bench}: speed of this machine beside its roofline. */
@NullMarked
package org.sparkqlora.command.bench;

import org.jspecify.annotations.NullMarked;
