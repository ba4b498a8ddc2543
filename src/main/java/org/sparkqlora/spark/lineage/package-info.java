/** Events of OpenLineage: which data a run read, in which version, and what it wrote. Driver only. */
@NullMarked
package org.sparkqlora.spark.lineage;

import org.jspecify.annotations.NullMarked;
