/** Prepared rows: records are encoded, packed and stored by Spark jobs, and read by number. */
@NullMarked
package org.sparkqlora.spark.prepare;

import org.jspecify.annotations.NullMarked;
