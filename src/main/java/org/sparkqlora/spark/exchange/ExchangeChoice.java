package org.sparkqlora.spark.exchange;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.sparkqlora.spark.cluster.ClusterSettings;
import org.sparkqlora.spark.cluster.SettingsOfSpark;
import org.sparkqlora.spark.cluster.TaskSlots;
import org.sparkqlora.spark.replica.RunHandle;
import org.sparkqlora.train.GradientFormat;

/**
 * The exchange of a run, and the reason for it. It decides speed and memory, not results: all sum the same numbers in the same order.
 *
 * @param kind not {@link ExchangeKind#AUTO}
 * @param size of the gradients of a step
 * @param resultLimit the most bytes that Spark lets a job's results have
 * @param reason in words, for a person
 */
public record ExchangeChoice(ExchangeKind kind, GradientSize size, long resultLimit, String reason) {

    /**
     * Of gradients a step. Up to here the driver takes at most 0.1 to 0.2 s more to add them than executors among themselves, by the page
     * {@code benchmarks.md}, and has the State itself, so that no loss of executors costs a step.
     */
    private static final long COLLECTED_BYTES = 64L << 20;

    private static final double MEBI = 1 << 20;

    /** Settles {@code asked} for this process as the driver. */
    public static ExchangeChoice of(ExchangeKind asked, GradientSize size, SparkConf settings) {
        if (new ClusterSettings(settings).isLocal()) {
            return new ExchangeChoice(
                    ExchangeKind.DRIVER,
                    size,
                    Long.MAX_VALUE,
                    "tasks run in the driver's process, nothing has to move");
        }

        long resultLimit = settings.getSizeAsBytes(SettingsOfSpark.MAX_RESULT_SIZE, "1g");
        long buffer = settings.getSizeAsBytes(SettingsOfSpark.KRYO_BUFFER, "64m");
        return of(
                asked,
                size,
                new Bound(SettingsOfSpark.MAX_RESULT_SIZE, resultLimit == 0 ? Long.MAX_VALUE : resultLimit),
                List.of(
                        new Bound("what the driver adds quickly", COLLECTED_BYTES),
                        new Bound(SettingsOfSpark.KRYO_BUFFER + " a shard", buffer * size.shards())));
    }

    static ExchangeChoice of(ExchangeKind asked, GradientSize size, Bound results, List<Bound> others) {
        if (asked != ExchangeKind.AUTO) {
            return new ExchangeChoice(asked, size, results.bytes(), "as asked for");
        }

        Bound least =
                others.stream().min(Comparator.comparingLong(Bound::bytes)).orElse(results);
        least = least.bytes() < results.bytes() ? least : results;
        boolean fits = size.bytes() <= least.bytes();
        String reason = String.format(
                Locale.ROOT,
                "%d x %.1f MiB of gradients are %s %s, %.1f MiB",
                size.shards(),
                size.bytesOfShard() / MEBI,
                fits ? "within" : "more than",
                least.name(),
                least.bytes() / MEBI);
        return new ExchangeChoice(fits ? ExchangeKind.COLLECT : ExchangeKind.SHUFFLE, size, results.bytes(), reason);
    }

    /**
     * The exchange of {@code run}.
     *
     * @param keptSteps steps whose sums stay with executors that hold them
     * @param isSharded whether executors own parts of the State, each of which takes a part of a sum and the end of the one before
     */
    public GradientExchange exchange(
            JavaSparkContext context, RunHandle run, GradientFormat format, int keptSteps, boolean isSharded) {
        return switch (kind) {
            case DRIVER -> new DriverExchange(run, format);
            case COLLECT -> new CollectExchange(format);
            case SHUFFLE ->
                new ShuffleExchange(
                        context,
                        format,
                        SliceLayout.of(size.parameters(), TaskSlots.available(context)),
                        keptSteps,
                        isSharded ? HeldSums.LONGEST_TAIL : 0);
            case BIGDL -> BigDl.require().exchange(size, format);
            case AUTO -> throw unsettled();
        };
    }

    /** Whether executors keep the sums of gradients that they added. */
    public boolean holdsSums() {
        return kind == ExchangeKind.SHUFFLE;
    }

    /**
     * Whether executors alone have the State.
     *
     * @param localSteps steps that a shard takes by itself; after more than one the driver takes the mean of States
     */
    public boolean executorsHoldState(int localSteps) {
        return holdsSums() && localSteps == 1;
    }

    /** Whether executors alone have the State of a run on several that asks for {@code kind}, whatever Spark's own limits are. */
    public static boolean executorsHoldState(ExchangeKind kind, GradientSize size) {
        return kind == ExchangeKind.SHUFFLE || (kind == ExchangeKind.AUTO && size.bytes() > COLLECTED_BYTES);
    }

    /** Whether tasks run in the driver's process and share its State. */
    public boolean inDriver() {
        return kind == ExchangeKind.DRIVER;
    }

    /** Bytes of the largest result of one task. */
    public long bytesOfResult() {
        return switch (kind) {
            case COLLECT -> size.bytesOfShard();
            case SHUFFLE -> size.bytesOfFacts();
            case BIGDL -> size.bytesOfSlice();
            case DRIVER -> 0;
            case AUTO -> throw unsettled();
        };
    }

    /** Bytes of the results that one job has at least. */
    public long bytesOfJob() {
        return switch (kind) {
            case COLLECT -> size.bytes();
            case BIGDL -> size.bytesOfSlice() * size.shards();
            case SHUFFLE, DRIVER -> bytesOfResult();
            case AUTO -> throw unsettled();
        };
    }

    private IllegalStateException unsettled() {
        return new IllegalStateException(
                "Cannot exchange gradients by " + kind + ": expected collect, shuffle or bigdl");
    }

    /**
     * A limit that collected gradients must fit into.
     *
     * @param name in words
     * @param bytes at most
     */
    record Bound(String name, long bytes) {}
}
