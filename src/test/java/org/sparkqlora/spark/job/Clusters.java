package org.sparkqlora.spark.job;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.sparkqlora.ChildArchive;
import org.sparkqlora.ChildJvm;
import org.sparkqlora.spark.blocks.ExecutorPlace;
import org.sparkqlora.spark.kryo.TrainRegistrator;

/** Spark clusters of any size on this machine, one at a time. */
public final class Clusters {
    public static final String ONE_SLOT = "local[1]";
    public static final String TWO_SLOTS = "local[2]";

    /** Two executors, each a process of its own. */
    public static final String TWO_EXECUTORS = "local-cluster[2,1,1024]";

    /** Settings of sessions whose queries run once: to compile code for them takes longer than they do. */
    public static final Map<String, String> NO_GENERATED_CODE =
            Map.of("spark.sql.codegen.factoryMode", "NO_CODEGEN", "spark.sql.codegen.wholeStage", "false");

    /** Of other processes. */
    static final Duration LONGEST_WAIT = Duration.ofMinutes(5);

    private static final Duration PAUSE = Duration.ofMillis(5);

    private Clusters() {}

    public static <T> T on(String master, Function<JavaSparkContext, T> work) {
        try (JavaSparkContext context = start(master)) {
            return work.apply(context);
        }
    }

    /** A cluster that the caller closes. */
    public static JavaSparkContext start(String master) {
        return start(master, Map.of());
    }

    /** A cluster with {@code settings} beside the usual ones, that the caller closes. */
    public static JavaSparkContext start(String master, Map<String, String> settings) {
        SparkConf configuration = configuration(master);
        settings.forEach(configuration::set);
        JavaSparkContext context = new JavaSparkContext(configuration);
        context.setLogLevel("ERROR");
        return context;
    }

    /** Kills the process of an executor. */
    public static boolean killOneExecutor() {
        return executors().findFirst().map(ProcessHandle::destroyForcibly).orElse(false);
    }

    /** Kills the process of the executor with this id. */
    static boolean killExecutor(String id) {
        return executors()
                .filter(process -> commandLine(process.pid()).contains("--executor-id\0" + id + "\0"))
                .findFirst()
                .map(ProcessHandle::destroyForcibly)
                .orElse(false);
    }

    /** Its words, each followed by a zero; a {@link ProcessHandle} does not tell long ones. */
    private static String commandLine(long pid) {
        try {
            return Files.readString(Path.of("/proc/" + pid + "/cmdline"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Kills the processes of all executors, and tells how many. */
    static long killAllExecutors() {
        return executors().filter(ProcessHandle::destroyForcibly).count();
    }

    /** Of the Java processes below this one, all are executors. */
    private static Stream<ProcessHandle> executors() {
        return ProcessHandle.current()
                .descendants()
                .filter(process -> process.info().command().orElse("").endsWith("java"));
    }

    /** Returns once {@code context} has that many executors, no more and no less. */
    public static void awaitExecutors(JavaSparkContext context, int count) {
        await(count + " executors")
                .atMost(LONGEST_WAIT)
                .pollInterval(PAUSE)
                .until(() -> context.sc().statusTracker().getExecutorInfos().length == count + 1);
    }

    /** Returns once so many executors can keep blocks: they say so after they have registered themselves. */
    public static void awaitPlaces(int count) {
        await(count + " executors with blocks")
                .atMost(LONGEST_WAIT)
                .pollInterval(PAUSE)
                .until(() -> ExecutorPlace.all().size() == count);
    }

    /** The usual settings. */
    public static SparkConf configuration(String master) {
        SparkConf configuration = new SparkConf(false)
                .setMaster(master)
                .setAppName("spark-qlora tests")
                .set("spark.ui.enabled", "false")
                .set("spark.driver.host", "127.0.0.1")
                .set("spark.driver.bindAddress", "127.0.0.1")
                .set("spark.serializer", "org.apache.spark.serializer.KryoSerializer")
                .set("spark.kryo.registrationRequired", "true")
                .set("spark.kryo.registrator", TrainRegistrator.class.getName())
                .set("spark.shuffle.io.retryWait", "1s") // not 5: whom a test kills does not come back
                .set("spark.executor.extraClassPath", ChildArchive.classPath())
                .set("spark.executor.extraJavaOptions", javaOptions());
        NO_GENERATED_CODE.forEach(configuration::set);
        return configuration;
    }

    private static String javaOptions() {
        return Stream.of(ChildJvm.QUICK, javaFlags(), ChildArchive.flags())
                .flatMap(List::stream)
                .collect(Collectors.joining(" ", "-XX:+IgnoreUnrecognizedVMOptions ", ""));
    }

    /** Other processes need the doors that this JVM was opened with. */
    public static List<String> javaFlags() {
        return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(argument -> argument.startsWith("--add") || argument.startsWith("-Dorg.bytedeco"))
                .toList();
    }
}
