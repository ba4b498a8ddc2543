/** The training plan, the replicated state machine, the gradient of one shard, the loop and its metrics; knows no Spark. */
@NullMarked
package org.sparkqlora.train;

import org.jspecify.annotations.NullMarked;
