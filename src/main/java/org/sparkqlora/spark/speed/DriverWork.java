package org.sparkqlora.spark.speed;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.DoubleStream;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.VoidFunction;
import org.apache.spark.storage.BlockManagerMaster;
import org.apache.spark.storage.BroadcastBlockId;

/**
 * The driver's cost of jobs, tasks and messages. Driver only.
 *
 * @param tasks of a job that measures them
 */
record DriverWork(JavaSparkContext context, int tasks) {
    /** Jobs whose median counts: in the first ones Java still compiles. */
    private static final int JOBS = 5;

    private static final int STAGES = 21;
    private static final int MESSAGES_A_TASK = 2;

    /** That ask at once, of a task. */
    private static final int THREADS = 8;

    private static final double NANOS = 1e9;

    /** Lets the driver's code be compiled, and executors come that an allocation by need would else not start. */
    void warmUp() {
        empty(tasks);
    }

    double secondsOfTask() {
        return medianOf(() -> empty(tasks)) / tasks;
    }

    double secondsOfStage() {
        return Median.of(DoubleStream.generate(this::secondsOfJob).limit(STAGES));
    }

    /** @param executors that ask, each an equal part */
    double secondsOfMessage(int executors) {
        int each = Math.max(1, MESSAGES_A_TASK * tasks / executors / THREADS);
        return medianOf(() -> context.parallelize(Collections.nCopies(executors, each), executors)
                        .foreach(new Ask()))
                / ((double) each * THREADS * executors);
    }

    private double secondsOfJob() {
        long begin = System.nanoTime();
        empty(2);
        return (System.nanoTime() - begin) / NANOS;
    }

    private void empty(int number) {
        context.parallelize(Collections.nCopies(number, 0), number).foreach(task -> {});
    }

    private static double medianOf(Runnable job) {
        return Median.of(DoubleStream.generate(() -> processorSeconds(job)).limit(JOBS));
    }

    private static double processorSeconds(Runnable work) {
        OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        long begin = system.getProcessCpuTime();
        work.run();
        return (system.getProcessCpuTime() - begin) / NANOS;
    }

    /** Asks the driver several times over, by several threads, for a block that nobody has. Runs in a task. */
    private record Ask() implements VoidFunction<Integer> {
        @Override
        public void call(Integer times) throws InterruptedException, ExecutionException {
            BlockManagerMaster driver = SparkEnv.get().blockManager().master();
            ExecutorService threads = Executors.newFixedThreadPool(THREADS);
            try {
                List<Future<Object>> asking =
                        threads.invokeAll(Collections.nCopies(THREADS, Executors.callable(() -> ask(driver, times))));
                for (Future<Object> thread : asking) {
                    thread.get();
                }
            } finally {
                threads.shutdownNow();
            }
        }

        private static void ask(BlockManagerMaster driver, int times) {
            for (int i = 0; i < times; i++) {
                if (driver.contains(new BroadcastBlockId(Long.MAX_VALUE, "speed"))) {
                    throw new IllegalStateException("Cannot measure messages: a block has the name of none");
                }
            }
        }
    }
}
