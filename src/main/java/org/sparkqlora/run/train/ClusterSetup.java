package org.sparkqlora.run.train;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.LongSupplier;
import org.apache.spark.api.java.JavaSparkContext;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.memory.MemoryPlan;
import org.sparkqlora.memory.MemoryUse;
import org.sparkqlora.model.BaseMemoryLimit;
import org.sparkqlora.model.PassOptions;
import org.sparkqlora.model.Recompute;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.Optimizers;
import org.sparkqlora.optim.Paging;
import org.sparkqlora.options.BaseOptions;
import org.sparkqlora.options.ByteCount;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.PrecisionChoice;
import org.sparkqlora.options.RecomputeChoice;
import org.sparkqlora.options.TrainOptions;
import org.sparkqlora.run.model.AdapterStart;
import org.sparkqlora.run.output.PlanFile;
import org.sparkqlora.spark.check.CheckReport;
import org.sparkqlora.spark.check.ClusterCheck;
import org.sparkqlora.spark.check.ClusterNeeds;
import org.sparkqlora.spark.check.DriverGradients;
import org.sparkqlora.spark.cluster.TaskSlots;
import org.sparkqlora.spark.exchange.ExchangeChoice;
import org.sparkqlora.spark.exchange.GradientSize;
import org.sparkqlora.storage.FolderSize;
import org.sparkqlora.train.BatchShape;
import org.sparkqlora.train.FolderModelSource;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.weights.WeightFolder;
import org.sparkqlora.weights.family.ModelConfig;

/** The spread of a training run over its cluster, chosen and checked before any work. Driver only. */
record ClusterSetup(JavaSparkContext context, TrainOptions options, Console console) {
    /** Shards of a step that would be {@code tasks} tasks: at most one a row. */
    int shards(int tasks) {
        return Math.min(options.run.batch.rows, tasks);
    }

    /** The precision of tasks: as asked for, or as the run was begun, or as their GPUs can. */
    Precision precision(PlanFile begun) {
        Optional<TrainPlan> before =
                options.model.numerics.precision == PrecisionChoice.AUTO ? begun.recorded() : Optional.empty();
        Precision precision = before.map(plan -> plan.spec().precision())
                .orElseGet(() -> options.model.precision(context, console::note));
        if (options.run.localSteps > 1 && precision.scalesLoss()) {
            throw new BadInputException(TrainOptions.LOCAL_STEPS_IN_FLOAT16);
        }

        return precision;
    }

    /** The optimiser's paging, for trained weights, their optimiser state, and gradients: the driver's or those of one task. */
    Paging paging(ParameterIndex index, ExchangeChoice exchange) {
        long[] sizes = index.all().stream().mapToLong(Parameter::size).toArray();
        long vector = Float.BYTES * index.size();
        long gradients = Math.max(vector, gradients(exchange));
        long state = Optimizers.stateBytes(options.update.optimizer(), sizes);
        return options.update.paging(
                vector + state + gradients, Runtime.getRuntime().maxMemory(), console);
    }

    ExchangeChoice exchange(ParameterIndex index, int shards) {
        OptimizerSpec optimizer = options.update.optimizer();
        long numbers = TrainPlan.numbersOfShard(index.size(), optimizer, options.run.localSteps);
        GradientSize size = new GradientSize(numbers, shards, options.exchange.wire);
        ExchangeChoice exchange = options.exchange.choose(size, context.getConf());
        console.note("exchange %s: %s", exchange.kind().optionName(), exchange.reason());
        return exchange;
    }

    /**
     * What of the base stays resident in an executor: as asked for, or all where it fits beside the rest; auto is noted where it does not.
     *
     * @param all the memory of executors with all of it, and the least of the rest
     */
    BaseMemoryLimit base(ModelConfig config, MemoryPlan all) {
        if (all.method() == Method.FULL) {
            return BaseMemoryLimit.ALL;
        }

        ClusterCheck check = new ClusterCheck(context);
        OptionalLong room = check.roomOfExecutor(options.model.device);
        int passes = TaskSlots.ofExecutor(context) * passesAtOnce();
        long smallest = BaseMemoryLimit.smallest(config, all.spec(), passes);
        BaseMemoryLimit chosen = options.model
                .base
                .choice()
                .within(room, all.executorBytes(), all.baseBytes(), smallest)
                .require(config, all.spec(), passes);
        if (chosen.dequantized() && check.onGpus(options.model.device)) {
            throw new BadInputException(BaseOptions.DEQUANTIZED_ON_GPU);
        }

        if (chosen.isBounded()) {
            console.note(
                    "base memory: %s of %s%s",
                    ByteCount.describe(Math.min(chosen.bytes(), all.baseBytes())),
                    ByteCount.describe(all.baseBytes()),
                    options.model.base.known().isBounded()
                            ? ""
                            : ", since an executor may take " + ByteCount.describe(room.orElseThrow()));
        }

        return chosen;
    }

    /**
     * {@code base}, or all of it dequantised where nothing is recomputed and an executor has memory for that; auto is noted.
     *
     * @param needed bytes that an executor takes with that
     */
    BaseMemoryLimit dequantized(BaseMemoryLimit base, ModelSpec spec, Recompute recompute, LongSupplier needed) {
        if (recompute != Recompute.NONE || spec.method() != Method.QLORA) {
            return base;
        }

        OptionalLong room = new ClusterCheck(context).roomOfExecutor(options.model.device);
        BaseMemoryLimit chosen = options.model.base.choice().dequantizedWithin(base, room, needed.getAsLong());
        if (chosen != base) {
            console.note("base memory: dequantized, since an executor has room for its dequantised layers");
        }

        return chosen;
    }

    /** The part of the base that one task of an executor, which shares it with the others, counts on. */
    BaseMemoryLimit baseOfTask(BaseMemoryLimit base, ModelConfig config, ModelSpec spec) {
        return base.besides(config, spec, (TaskSlots.ofExecutor(context) - 1) * passesAtOnce());
    }

    /** The activations that passes recompute: as asked for, or the fewest for which an executor has memory; auto is noted. */
    Recompute recompute(
            ModelConfig config,
            ModelSpec spec,
            Paging paging,
            MicroRows rows,
            ExchangeChoice exchange,
            BaseMemoryLimit base) {
        RecomputeChoice asked = options.run.batch.recompute;
        OptionalLong room = new ClusterCheck(context).roomOfExecutor(options.model.device);
        Recompute chosen = asked.within(
                room,
                choice -> memory(config, spec, paging, rows, exchange, passes(choice, base))
                        .executorBytes());
        if (asked == RecomputeChoice.AUTO) {
            console.note(
                    "recompute: %s (%s)",
                    RecomputeChoice.label(chosen),
                    room.isPresent()
                            ? "an executor may take " + ByteCount.describe(room.getAsLong())
                            : "no one tells what memory an executor may take");
        }

        return chosen;
    }

    /**
     * The rows of a micro-batch.
     *
     * @param width tokens a row
     * @param count rows
     */
    record MicroRows(int width, int count) {}

    /**
     * The rows of a micro-batch: as asked for, or as the run was begun with, or by default, halved until an executor has memory for
     * {@link Recompute#ALL}; a default is noted.
     *
     * @param begun the plan of the run in the output folder
     * @param width tokens a row
     */
    MicroRows microRows(
            ModelConfig config, ModelSpec spec, Paging paging, ExchangeChoice exchange, PlanFile begun, int width) {
        OptionalInt asked = options.run.batch.microRows();
        OptionalInt settled = asked.isPresent()
                ? asked
                : begun.recorded().stream()
                        .mapToInt(plan -> plan.batches().microBatchSize())
                        .findFirst();
        if (settled.isPresent()) {
            return new MicroRows(width, settled.getAsInt());
        }

        OptionalLong room = new ClusterCheck(context).roomOfExecutor(options.model.device);
        PassOptions least = passes(Recompute.ALL, BaseMemoryLimit.ALL);
        int shards = exchange.size().shards();
        MicroRows rows =
                new MicroRows(width, BatchShape.microBatchSize(width, options.run.batch.rows, shards, passesAtOnce()));
        while (rows.count() > 1
                && room.isPresent()
                && memory(config, spec, paging, rows, exchange, least).executorBytes() > room.getAsLong()) {
            rows = new MicroRows(width, rows.count() / 2);
        }

        console.note("micro-batch size: %d, of rows of up to %d tokens", rows.count(), width);
        return rows;
    }

    PassOptions passes(Recompute recompute, BaseMemoryLimit base) {
        return new PassOptions(recompute, passesAtOnce(), base);
    }

    /**
     * The memory of executors, with as many tasks at once on each as it has slots, and of a driver in which tasks run.
     *
     * @param rows that pass at once
     */
    MemoryPlan memory(
            ModelConfig config,
            ModelSpec spec,
            Paging paging,
            MicroRows rows,
            ExchangeChoice exchange,
            PassOptions passes) {
        int shards = exchange.size().shards();
        int atOnce = TaskSlots.ofExecutor(context);
        int executors = (shards + atOnce - 1) / atOnce;
        BatchShape step = new BatchShape(
                rows.width(),
                options.run.batch.rows,
                rows.count(),
                shards,
                executors,
                passes.recompute(),
                passes.atOnce());
        MemoryPlan plan = MemoryPlan.of(config, spec, options.update.optimizer(), paging, step)
                .withBase(passes.base(), config, step);
        return exchange.executorsHoldState(options.run.localSteps) ? options.exchange.zeroStage.of(plan) : plan;
    }

    /** {@code plan} with the driver of a run from {@code start} on whose gradients are added by {@code exchange}. */
    MemoryPlan withDriver(MemoryPlan plan, ExchangeChoice exchange, AdapterStart start) {
        if (exchange.inDriver()) {
            return plan;
        }

        MemoryPlan exchanged = plan.withDriverGradients(gradients(exchange));
        return exchange.executorsHoldState(options.run.localSteps) && start.isSameEverywhere()
                ? exchanged.withoutDriverOptimizer()
                : exchanged;
    }

    private long gradients(ExchangeChoice exchange) {
        return DriverGradients.bytes(exchange.kind(), exchange.size(), options.run.localSteps);
    }

    /** Bytes of the copies of {@code model} that a host without any makes: as it is stored, and in four bits unless it is stored so. */
    static long copyBytes(FolderModelSource model, MemoryPlan memory) {
        Path folder = Path.of(model.folder());
        long stored = model.place().isCopied() ? FolderSize.of(folder) : 0;
        return memory.method() == Method.QLORA && !isQuantized(folder)
                ? stored + memory.bytes(MemoryUse.WEIGHTS) + memory.bytes(MemoryUse.QUANTIZATION_CONSTANTS)
                : stored;
    }

    private static boolean isQuantized(Path folder) {
        try (WeightFolder weights = WeightFolder.open(folder)) {
            return weights.quantized();
        }
    }

    /** Micro-batches that a task has in the model at once, if it has as many. */
    int passesAtOnce() {
        return options.run.batch.passesOf(TaskSlots.passesOfTask(context));
    }

    /** Tells what could be better, and refuses, with all reasons at once, what would fail. */
    void check(ClusterNeeds needs, ExchangeChoice exchange) {
        CheckReport report = new ClusterCheck(context).report(needs, exchange);
        report.advice().forEach(advice -> console.note("advice: %s", advice));
        List<String> problems = report.problems();
        if (problems.size() == 1) {
            throw new BadInputException(problems.get(0));
        }

        if (!problems.isEmpty()) {
            throw new BadInputException(
                    "Cannot start, for %d reasons\n  %s".formatted(problems.size(), String.join("\n  ", problems)));
        }
    }
}
