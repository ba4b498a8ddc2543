package org.sparkqlora;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.junit.ArchTest;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The classes of Spark that are private to it, {@code private[spark]} or {@code @Private}, and which of ours use them. They change
 * from line to line without notice: whoever adds a line of Spark looks at these first, and whoever adds a use to the list has found
 * no public way.
 */
final class SparkBorder {
    private static final String SPARK = "org.apache.spark.";

    /** The classes that Spark documents for others. */
    private static final Pattern PUBLIC = Pattern.compile("org\\.apache\\.spark\\."
            + "(api\\..*|broadcast\\..*|resource\\..*|rdd\\.RDD|serializer\\.KryoRegistrator"
            + "|sql\\.[A-Z].*|sql\\.(api|catalog|expressions|streaming|types|util)\\..*|sql\\.functions"
            + "|ml\\.(?!util\\.DefaultParams(Reader|Writer)).*|mllib\\..*|package\\$?"
            + "|scheduler\\.Spark.*|scheduler\\.TaskInfo"
            + "|Partitioner|SparkConf|SparkContext|SparkEnv|SparkExecutorInfo|SparkStatusTracker|TaskContext"
            + "|SparkException|ExceptionFailure|ExecutorLostFailure|FetchFailed|TaskEndReason|TaskFailedReason"
            + "|storage\\.(BlockManagerId|StorageLevel)|util\\.(LongAccumulator|SerializableConfiguration))(\\$.*)?");

    /** Ours, by what of Spark's own they use. */
    private static final Map<String, Set<String>> USES = Map.ofEntries(
            Map.entry(
                    "bigdl.TaggedSlices",
                    Set.of(
                            "sparkExtension.SparkExtension",
                            "storage.BlockId",
                            "storage.BlockManager",
                            "storage.BlockManagerMaster")),
            Map.entry("cli.YarnExit", Set.of("SparkUserAppException")),
            Map.entry("ml.ModelFolder", Set.of("ml.util.DefaultParamsReader", "ml.util.DefaultParamsWriter")),
            Map.entry("ml.StageFolder", Set.of("ml.util.DefaultParamsReader", "ml.util.DefaultParamsWriter")),
            Map.entry("ml.StagePath", Set.of("ml.util.DefaultParamsReader")),
            Map.entry("options.OptionFile", Set.of("unsafe.types.UTF8String")),
            Map.entry("spark.check.ClusterCheck", Set.of("storage.BlockManager")),
            Map.entry(
                    "spark.cluster.ExecutorBlocks",
                    Set.of(
                            "network.BlockTransferService",
                            "network.buffer.ManagedBuffer",
                            "network.buffer.NioManagedBuffer",
                            "storage.BlockId",
                            "storage.BlockManager",
                            "storage.BroadcastBlockId",
                            "util.io.ChunkedByteBuffer")),
            Map.entry("spark.cluster.ExecutorPlace", Set.of("storage.BlockManager", "storage.BlockManagerMaster")),
            Map.entry("spark.watch.RunSource", Set.of("metrics.MetricsSystem", "metrics.source.Source")),
            Map.entry("spark.watch.RunListener", Set.of("status.ElementTrackingStore", "util.kvstore.KVStore")),
            Map.entry("spark.watch.RunView", Set.of("util.kvstore.KVIndex")),
            Map.entry(
                    "spark.ui.RunHistoryPlugin",
                    Set.of(
                            "status.AppHistoryServerPlugin",
                            "status.AppStatusStore",
                            "status.ElementTrackingStore",
                            "ui.SparkUI")),
            Map.entry(
                    "spark.ui.RunPages",
                    Set.of(
                            "scheduler.LiveListenerBus",
                            "status.AppStatusStore",
                            "ui.SparkUI",
                            "util.kvstore.KVStore",
                            "util.kvstore.KVStoreIterator",
                            "util.kvstore.KVStoreView")),
            Map.entry("spark.ui.RunPage", Set.of("ui.UIUtils", "ui.WebUIPage")),
            Map.entry("spark.ui.RunTab", Set.of("ui.SparkUI", "ui.SparkUITab", "util.kvstore.KVStore")));

    private SparkBorder() {}

    @ArchTest
    static void sparksPrivateClassesAreUsedWhereTheListSaysAlone(JavaClasses ours) {
        Map<String, Set<String>> found = new TreeMap<>();
        ours.stream()
                .flatMap(type -> type.getDirectDependenciesFromSelf().stream())
                .filter(use -> isPrivate(use.getTargetClass().getBaseComponentType()))
                .forEach(use -> found.computeIfAbsent(
                                name(use.getOriginClass(), "org.sparkqlora."), name -> new TreeSet<>())
                        .add(name(use.getTargetClass().getBaseComponentType(), SPARK)));

        assertThat(found).isEqualTo(usesIn(ours));
    }

    /** A build without BigDL has none of its classes. */
    private static Map<String, Set<String>> usesIn(JavaClasses ours) {
        return USES.entrySet().stream()
                .filter(use -> ours.contain("org.sparkqlora." + use.getKey()))
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    private static boolean isPrivate(JavaClass type) {
        return type.getName().startsWith(SPARK)
                && !PUBLIC.matcher(type.getName()).matches();
    }

    /** Of the outermost class. */
    private static String name(JavaClass type, String root) {
        return type.getName().substring(root.length()).replaceFirst("\\$.*", "");
    }
}
