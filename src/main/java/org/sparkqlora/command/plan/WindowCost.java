package org.sparkqlora.command.plan;

import java.util.Locale;
import org.sparkqlora.memory.MemoryPlan;
import org.sparkqlora.model.BaseMemoryLimit;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.train.BatchShape;
import org.sparkqlora.weights.family.ModelConfig;

/**
 * The cost of a frozen base that is not resident whole: bytes that a step reads again, from the system's page cache or, at the worst,
 * from the disk.
 *
 * <p>A group of micro-batches, as many as pass at once, reads the layers that are not kept twice, upwards and downwards. A head that is not
 * kept is read twice for each chunk of tokens.
 *
 * @param plan with that bound
 * @param base the bound
 * @param readBytes of a step of one executor
 * @param least bytes in which the base can be computed
 * @param computeSeconds of a step, estimated
 * @param disk bytes a second
 */
record WindowCost(
        MemoryPlan plan, BaseMemoryLimit base, long readBytes, long least, double computeSeconds, DiskSpeed disk) {
    private static final double GIGA = 1e9;

    /** The cost of {@code base} for the frozen base of {@code all}. */
    static WindowCost of(
            ModelConfig config,
            MemoryPlan all,
            BaseMemoryLimit base,
            BatchShape step,
            double computeSeconds,
            DiskSpeed disk) {
        ModelSpec spec = all.spec();
        int passes = spec.trainsAdaptersAlone() ? step.parallelPasses() : 1;
        long least = BaseMemoryLimit.smallest(config, spec, step.tasksAtOnce() * passes);
        BaseMemoryLimit.Division division = BaseMemoryLimit.division(config, spec);
        long room = Math.max(0, base.bytes() - least);
        boolean keepsHead = division.head() <= room;
        long forLayers = keepsHead ? room - division.head() : room;
        long layers = Math.max(0, division.layers() - forLayers);
        long batches = ceilingOf(ceilingOf(step.batchSize(), step.shards()), step.rowsAtOnce());
        long ofLayers = 2 * layers * ceilingOf(batches, passes);
        long chunks = ceilingOf((long) step.rowsAtOnce() * step.sequenceLength(), division.tokensOfChunk());
        long ofHead = keepsHead ? 0 : 2 * division.head() * chunks * batches;
        return new WindowCost(
                all.withBase(base, config, step),
                base,
                step.tasksAtOnce() * (ofLayers + ofHead),
                least,
                computeSeconds,
                disk);
    }

    Method method() {
        return plan.method();
    }

    double readSeconds() {
        return readBytes / disk.bytesPerSecond();
    }

    /** Of the time of a step, if nothing of the base stays in the page cache and reading is not hidden behind computing. */
    double share() {
        return readSeconds() / (readSeconds() + computeSeconds);
    }

    /** An executor with the least of the base. */
    long leastExecutorBytes() {
        return plan.executorBytes() - base.bytes() + least;
    }

    String line() {
        return String.format(
                Locale.ROOT,
                "%s, base memory %.2f GB: a step reads %.2f GB again, %.2f s at %.2f GB/s (%s), beside %.1f s of computing: %.0f %%; the least is %.2f GB, in an executor of %.2f GB",
                method().optionName(),
                base.bytes() / GIGA,
                readBytes / GIGA,
                readSeconds(),
                disk.bytesPerSecond() / GIGA,
                disk.source(),
                computeSeconds,
                100 * share(),
                least / GIGA,
                leastExecutorBytes() / GIGA);
    }

    private static long ceilingOf(long total, long parts) {
        return (total + parts - 1) / parts;
    }
}
