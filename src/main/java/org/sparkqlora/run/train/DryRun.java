package org.sparkqlora.run.train;

import org.sparkqlora.memory.MemoryPlan;
import org.sparkqlora.spark.exchange.ExchangeChoice;

/**
 * A training run that was found possible.
 *
 * @param shards of a step
 * @param exchange how gradients would be added
 * @param memory that it would take
 */
public record DryRun(int shards, ExchangeChoice exchange, MemoryPlan memory) {}
