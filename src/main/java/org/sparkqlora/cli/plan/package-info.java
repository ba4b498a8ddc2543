/** {@code plan}: the memory that a run will take. */
@NullMarked
package org.sparkqlora.cli.plan;

import org.jspecify.annotations.NullMarked;
