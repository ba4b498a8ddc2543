/** What {@code bench} measures on a cluster, and the document of it. */
@NullMarked
package org.sparkqlora.run.bench;

import org.jspecify.annotations.NullMarked;
