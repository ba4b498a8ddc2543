/** Kryo serialisers of all that crosses between driver and executors. */
@NullMarked
package org.sparkqlora.spark.kryo;

import org.jspecify.annotations.NullMarked;
