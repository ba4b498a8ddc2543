/** {@code plan}: the memory and the time that a run will take. */
@NullMarked
package org.sparkqlora.command.plan;

import org.jspecify.annotations.NullMarked;
