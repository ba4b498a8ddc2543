/** Models brought to four bits by the tasks of a Spark job. */
@NullMarked
package org.sparkqlora.spark.quantize;

import org.jspecify.annotations.NullMarked;
