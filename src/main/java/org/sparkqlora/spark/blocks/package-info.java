/** Blocks that executors keep and others fetch: parts of sums and of States, each with its place; a lost one is noticed here. */
@NullMarked
package org.sparkqlora.spark.blocks;

import org.jspecify.annotations.NullMarked;
