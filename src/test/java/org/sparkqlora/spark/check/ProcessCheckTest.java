package org.sparkqlora.spark.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.sparkqlora.spark.job.MemoryPlans.GIB;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.sparkqlora.memory.MemoryPlan;
import org.sparkqlora.memory.MemoryUse;
import org.sparkqlora.spark.cluster.ClusterSettings;
import org.sparkqlora.spark.cluster.ProcessFacts;
import org.sparkqlora.spark.job.MemoryPlans;

class ProcessCheckTest {
    private static final MemoryPlan SMALL = MemoryPlans.of(GIB, GIB, GIB);
    private static final ProcessFacts DRIVER = process("driver", 17, 4 * GIB, "avx2 avx512f");

    @Test
    void aClusterThatHasAllIsToldNothing() {
        List<ProcessFacts> executors = List.of(executor("a"), executor("b"));

        assertThat(standalone(SMALL).problems(DRIVER, executors)).isEmpty();
        assertThat(standalone(SMALL).advice(DRIVER, executors)).isEmpty();
    }

    @Test
    void heapsAndMachinesAndDisksThatAreTooSmallAreNamed() {
        MemoryPlan large = MemoryPlans.of(5 * GIB, 40 * GIB, 300 * GIB);

        assertThat(standalone(large).problems(DRIVER, List.of(executor("a"))))
                .containsExactly(
                        "driver: Cannot hold 5120 MiB in a heap of 4096 MiB. Raise spark.driver.memory.",
                        "executor a: Cannot hold 5120 MiB in a heap of 4096 MiB. Raise spark.executor.memory.",
                        "executor a: Cannot hold 46080 MiB on a machine of 16384 MiB. See what 'plan' says of smaller steps.",
                        "executor a: Cannot keep scratch files of 307200 MiB in /scratch: 102400 MiB are free. Set spark.local.dir to a larger disk.");
    }

    @Test
    void memoryBesideTheHeapIsBoundedWhereTheManagerBoundsIt() {
        List<ProcessFacts> executors = List.of(executor("a"));

        assertThat(on("yarn").problems(DRIVER, executors))
                .containsExactly(
                        "executor a: Cannot hold 1024 MiB beside the heap, model included: 410 MiB are allowed. Raise spark.executor.memoryOverhead.");
        assertThat(check("yarn", SMALL, "spark.executor.memoryOverhead", "1g").problems(DRIVER, executors))
                .isEmpty();
    }

    @Test
    void anotherJavaOnAnExecutorIsRefused() {
        assertThat(standalone(SMALL).problems(DRIVER, List.of(process("executor a", 21, 4 * GIB, "avx2 avx512f"))))
                .containsExactly(
                        "executor a: Cannot mix Java 21 with the driver's 17: set JAVA_HOME of both to the same release.");
    }

    @Test
    void aLimitOfJavaCppAndClosedPackagesAreNamedWithTheFlagThatHelps() {
        ProcessFacts bare = new ProcessFacts(
                "executor a",
                17,
                4 * GIB,
                16 * GIB,
                "/scratch",
                100 * GIB,
                true,
                true,
                GIB,
                List.of("java.nio", "sun.nio.ch"),
                "avx2 avx512f",
                List.of("Cannot open model m"));

        assertThat(standalone(SMALL).problems(DRIVER, List.of(bare)))
                .containsExactly(
                        "executor a: Cannot open model m",
                        "executor a: Cannot read what Spark needs of Java: java.nio, sun.nio.ch closed. Start with spark-submit, or add --add-opens=java.base/PACKAGE=ALL-UNNAMED for each to spark.executor.extraJavaOptions.",
                        "executor a: Cannot hold 2048 MiB: JavaCPP allows the process 1024 MiB. Add -Dorg.bytedeco.javacpp.maxPhysicalBytes=0 to its Java options.");
    }

    @Test
    void slowFlagsAndUnequalProcessorsAreAdvice() {
        ProcessFacts slow = new ProcessFacts(
                "executor b",
                17,
                4 * GIB,
                16 * GIB,
                "/scratch",
                100 * GIB,
                false,
                false,
                0,
                List.of(),
                "avx2",
                List.of());

        assertThat(standalone(SMALL).advice(DRIVER, List.of(executor("a"), slow)))
                .containsExactly(
                        "The executors would be slow: add --add-modules=jdk.incubator.vector -Dorg.bytedeco.javacpp.nopointergc=true to spark.executor.extraJavaOptions, as spark-conf/ does.",
                        "Executors have different processors (avx2 avx512f / avx2): libtorch may round differently on each, so the adapter's bytes depend on which computes what.");
    }

    /** Spark's share of a heap of 4 GiB is 0.6 of what 300 MiB leave of it. */
    @Test
    void blocksThatWouldGoToDiskAreAdvice() {
        MemoryPlan exchanging = exchanging(3 * GIB);

        assertThat(standalone(exchanging).advice(DRIVER, List.of(executor("a"))))
                .containsExactly(
                        "Executors keep 3072 MiB each of gradients, sums and parts of the State for one another, some of it on disk, since Spark's storage memory is 2278 MiB. Set spark.memory.offHeap.enabled to true and spark.memory.offHeap.size to as much, as plan --spark-conf does.");
        assertThat(standalone(exchanging(2 * GIB)).advice(DRIVER, List.of(executor("a"))))
                .isEmpty();
        assertThat(check("spark://host:7077", exchanging, "spark.memory.fraction", "0.9")
                        .advice(DRIVER, List.of(executor("a"))))
                .isEmpty();
    }

    private static MemoryPlan exchanging(long bytes) {
        return new MemoryPlan(
                SMALL.spec(), Map.of(MemoryUse.EXCHANGE, bytes), Set.of(), new MemoryPlan.DriverMemory(GIB, 0, 0), 2);
    }

    @Test
    void whereTasksRunInTheDriverItIsTheOnlyProcess() {
        ProcessFacts driver = process("driver", 17, GIB / 2, "avx2");

        assertThat(on("local[2]").problems(driver, List.of(driver)))
                .containsExactly("driver: Cannot hold 1024 MiB in a heap of 512 MiB. Raise spark.driver.memory.");
    }

    private static ProcessFacts executor(String id) {
        return process("executor " + id, 17, 4 * GIB, "avx2 avx512f");
    }

    private static ProcessFacts process(String name, int java, long heap, String processor) {
        return new ProcessFacts(
                name, java, heap, 16 * GIB, "/scratch", 100 * GIB, true, true, 0, List.of(), processor, List.of());
    }

    private static ProcessCheck standalone(MemoryPlan memory) {
        return check("spark://host:7077", memory, "spark.app.name", "check");
    }

    private static ProcessCheck on(String master) {
        return check(master, SMALL, "spark.app.name", "check");
    }

    private static ProcessCheck check(String master, MemoryPlan memory, String key, String value) {
        SparkConf settings = new SparkConf(false).setMaster(master).set(key, value);
        return new ProcessCheck(memory, new ClusterSettings(settings));
    }
}
