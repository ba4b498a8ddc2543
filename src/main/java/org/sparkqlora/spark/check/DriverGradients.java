package org.sparkqlora.spark.check;

import org.sparkqlora.spark.exchange.ExchangeKind;
import org.sparkqlora.spark.exchange.GradientSize;

/** The gradients of a step in the driver's heap, by the exchange that adds them. */
public final class DriverGradients {
    /** A step's job and its stages, and pieces of a State on their way to a checkpoint. */
    private static final long STEP = 15 << 20;

    private DriverGradients() {}

    /**
     * Most bytes at once. Vectors are float32 on the driver, whatever they are sent in.
     *
     * @param kind {@link ExchangeKind#AUTO} takes as much as {@link ExchangeKind#SHUFFLE}: it collects 64 MiB a step at most
     * @param localSteps steps that a shard takes by itself; after more than one the driver takes the mean of States, and so their sum
     */
    public static long bytes(ExchangeKind kind, GradientSize size, int localSteps) {
        long vector = Float.BYTES * size.parameters();
        return switch (kind) {
            case DRIVER -> vector * size.shards();
            case COLLECT -> vector * (size.shards() + 1L);
            case BIGDL -> vector + facts(size);
            case SHUFFLE, AUTO -> facts(size) + (localSteps == 1 ? 0 : vector);
        };
    }

    private static long facts(GradientSize size) {
        return STEP + size.bytesOfFacts();
    }
}
