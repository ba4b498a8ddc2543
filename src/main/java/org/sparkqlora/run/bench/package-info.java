/** The document of what {@code bench} measures on a cluster. */
@NullMarked
package org.sparkqlora.run.bench;

import org.jspecify.annotations.NullMarked;
