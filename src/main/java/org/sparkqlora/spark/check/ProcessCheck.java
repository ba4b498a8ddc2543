package org.sparkqlora.spark.check;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import org.sparkqlora.memory.MemoryPlan;
import org.sparkqlora.spark.blocks.StorageMemory;
import org.sparkqlora.spark.cluster.ClusterSettings;
import org.sparkqlora.spark.cluster.ProcessFacts;

/**
 * Compares the resources of processes with the requirements of a run.
 *
 * @param memory estimated
 * @param settings that bound it
 */
record ProcessCheck(MemoryPlan memory, ClusterSettings settings) {
    private static final String DRIVER_FLAGS = "spark.driver.extraJavaOptions";
    private static final String EXECUTOR_FLAGS = "spark.executor.extraJavaOptions";
    private static final String PROMPT_RELEASE = "-Dorg.bytedeco.javacpp.nopointergc=true";
    private static final String NO_LIMIT = "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0";
    private static final String VECTORS = "--add-modules=jdk.incubator.vector";

    /** The problems that the run would fail with. If tasks run in the driver, it is the only executor. */
    List<String> problems(ProcessFacts driver, List<ProcessFacts> executors) {
        List<String> problems = new ArrayList<>();
        checkDriver(driver, problems);
        for (ProcessFacts executor : executors) {
            executor.missing().forEach(missing -> problems.add(executor.name() + ": " + missing));
            checkExecutor(executor, driver, problems);
        }

        return problems;
    }

    List<String> advice(ProcessFacts driver, List<ProcessFacts> executors) {
        List<String> advice = new ArrayList<>();
        if (!settings.isLocal()) {
            adviseFlags("driver", List.of(driver), DRIVER_FLAGS, advice);
        }

        adviseFlags("executors", executors, settings.isLocal() ? DRIVER_FLAGS : EXECUTOR_FLAGS, advice);
        adviseStorage(executors, advice);
        List<String> processors =
                executors.stream().map(ProcessFacts::processor).distinct().toList();
        if (processors.size() > 1) {
            advice.add(
                    "Executors have different processors (%s): libtorch may round differently on each, so the adapter's bytes depend on which computes what."
                            .formatted(String.join(" / ", processors)));
        }

        return advice;
    }

    private void checkDriver(ProcessFacts driver, List<String> problems) {
        long needed = settings.isLocal() ? Math.max(memory.heapBytes(), memory.driverBytes()) : memory.driverBytes();
        driver.missing().forEach(missing -> problems.add(driver.name() + ": " + missing));
        requireHeap(driver, needed, driverRemedy(), problems);
        checkOpen(driver, DRIVER_FLAGS, problems);
    }

    private String driverRemedy() {
        MemoryPlan.DriverMemory parts = memory.driver();
        boolean collects = !settings.isLocal() && parts.gradientBytes() > parts.stateBytes();
        return "spark.driver.memory" + (collects ? ", or take --exchange shuffle" : "");
    }

    private void checkExecutor(ProcessFacts executor, ProcessFacts driver, List<String> problems) {
        if (!settings.isLocal()) {
            requireHeap(executor, memory.heapBytes(), "spark.executor.memory", problems);
            checkOpen(executor, EXECUTOR_FLAGS, problems);
            checkJava(executor, driver, problems);
        }

        checkNativeMemory(executor, problems);
        if (memory.fileBytes() > executor.scratchBytes()) {
            problems.add("%s: Cannot keep scratch files of %s in %s: %s are free. Set spark.local.dir to a larger disk."
                    .formatted(
                            executor.name(),
                            mebi(memory.fileBytes()),
                            executor.scratch(),
                            mebi(executor.scratchBytes())));
        }
    }

    private static void requireHeap(ProcessFacts process, long needed, String remedy, List<String> problems) {
        if (needed > process.heapBytes()) {
            problems.add("%s: Cannot hold %s in a heap of %s. Raise %s."
                    .formatted(process.name(), mebi(needed), mebi(process.heapBytes()), remedy));
        }
    }

    private void checkNativeMemory(ProcessFacts executor, List<String> problems) {
        long needed = memory.executorBytes() - memory.heapBytes();
        long overhead = settings.overheadBytes(executor.heapBytes());
        if (settings.boundsMemory() && needed > overhead) {
            problems.add(
                    "%s: Cannot hold %s beside the heap, model included: %s are allowed. Raise spark.executor.memoryOverhead."
                            .formatted(executor.name(), mebi(needed), mebi(overhead)));
        }

        if (memory.executorBytes() > executor.machineBytes()) {
            problems.add("%s: Cannot hold %s on a machine of %s. See what 'plan' says of smaller steps."
                    .formatted(executor.name(), mebi(memory.executorBytes()), mebi(executor.machineBytes())));
        }

        if (executor.nativeLimit() > 0 && memory.executorBytes() > executor.nativeLimit()) {
            problems.add("%s: Cannot hold %s: JavaCPP allows the process %s. Add %s to its Java options."
                    .formatted(executor.name(), mebi(memory.executorBytes()), mebi(executor.nativeLimit()), NO_LIMIT));
        }
    }

    private static void checkOpen(ProcessFacts process, String setting, List<String> problems) {
        if (!process.closed().isEmpty()) {
            problems.add(
                    "%s: Cannot read what Spark needs of Java: %s closed. Start with spark-submit, or add --add-opens=java.base/PACKAGE=ALL-UNNAMED for each to %s."
                            .formatted(process.name(), String.join(", ", process.closed()), setting));
        }
    }

    private static void checkJava(ProcessFacts executor, ProcessFacts driver, List<String> problems) {
        if (executor.java() != driver.java()) {
            problems.add(String.format(
                    Locale.ROOT,
                    "%s: Cannot mix Java %d with the driver's %d: set JAVA_HOME of both to the same release.",
                    executor.name(),
                    executor.java(),
                    driver.java()));
        }
    }

    private static void adviseFlags(String name, List<ProcessFacts> processes, String setting, List<String> advice) {
        List<String> flags = new ArrayList<>();
        addIfAny(processes, process -> !process.vectors(), VECTORS, flags);
        addIfAny(processes, process -> !process.promptRelease(), PROMPT_RELEASE, flags);
        if (!flags.isEmpty()) {
            advice.add("The %s would be slow: add %s to %s, as spark-conf/ does."
                    .formatted(name, String.join(" ", flags), setting));
        }
    }

    /** Of the executor that has least. */
    private void adviseStorage(List<ProcessFacts> executors, List<String> advice) {
        long least = executors.stream()
                .mapToLong(executor ->
                        StorageMemory.of(settings.conf(), executor.heapBytes()).bytes())
                .min()
                .orElse(Long.MAX_VALUE);
        if (memory.blockBytes() > least) {
            advice.add(
                    "Executors keep %s each of gradients, sums and parts of the State for one another, some of it on disk, since Spark's storage memory is %s. Set spark.memory.offHeap.enabled to true and spark.memory.offHeap.size to as much, as plan --spark-conf does."
                            .formatted(mebi(memory.blockBytes()), mebi(least)));
        }
    }

    private static void addIfAny(
            List<ProcessFacts> processes, Predicate<ProcessFacts> lacks, String flag, List<String> flags) {
        if (processes.stream().anyMatch(lacks)) {
            flags.add(flag);
        }
    }

    private static String mebi(long bytes) {
        return String.format(Locale.ROOT, "%.0f MiB", Math.ceil(bytes / (double) (1 << 20)));
    }
}
