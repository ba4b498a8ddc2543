package org.sparkqlora;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.junit.ArchTest;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The classes of Spark that are private to it, {@code private[spark]} or {@code @Private}, and which of ours use them and their
 * methods. They change from line to line without notice: whoever adds a line of Spark looks at these first, and whoever adds a use to
 * the list has found no public way. Methods that {@code ScalaMethod} calls by name are not in it: their tests run on every line.
 */
final class SparkBorder {
    private static final String SPARK = "org.apache.spark.";
    private static final String MEMBER = "#";

    /** The classes that Spark documents for others. */
    private static final Pattern PUBLIC = Pattern.compile(
            "org\\.apache\\.spark\\."
                    + "(api\\..*|broadcast\\..*|resource\\..*|rdd\\.RDD|serializer\\.KryoRegistrator"
                    + "|sql\\.[A-Z].*|sql\\.(api|catalog|expressions|streaming|types|util)\\..*|sql\\.functions"
                    + "|ml\\.(?!util\\.DefaultParams(Reader|Writer)).*|mllib\\..*|package\\$?"
                    + "|scheduler\\.Spark.*|scheduler\\.TaskInfo"
                    + "|Partitioner|SparkConf|SparkContext|SparkEnv|SparkExecutorInfo|SparkStatusTracker|TaskContext"
                    + "|SparkException|SparkThrowable|ExceptionFailure|ExecutorLostFailure|FetchFailed|TaskEndReason|TaskFailedReason"
                    + "|storage\\.(BlockManagerId|StorageLevel)|util\\.(CollectionAccumulator|LongAccumulator|SerializableConfiguration))(\\$.*)?");

    /** Ours, by the methods and fields of Spark's own that they use, and by those of its classes of which they use none. */
    private static final Map<String, Set<String>> USES = Map.ofEntries(
            Map.entry(
                    "bigdl.TaggedSlices",
                    Set.of(
                            "sparkExtension.SparkExtension#MODULE$",
                            "sparkExtension.SparkExtension#getLocalBlockId",
                            "storage.BlockId",
                            "storage.BlockManager#master",
                            "storage.BlockManager#releaseLock",
                            "storage.BlockManager#removeBlock",
                            "storage.BlockManagerMaster#removeBlock")),
            Map.entry("cli.Program", Set.of("SparkUserAppException")),
            Map.entry(
                    "ml.ModelFolder",
                    Set.of(
                            "ml.util.DefaultParamsReader#getAndSetParams",
                            "ml.util.DefaultParamsReader#uid",
                            "ml.util.DefaultParamsWriter#saveMetadata")),
            Map.entry(
                    "ml.ModelReference",
                    Set.of(
                            "ml.util.DefaultParamsReader#getAndSetParams",
                            "ml.util.DefaultParamsReader#parseMetadata",
                            "ml.util.DefaultParamsReader#uid",
                            "ml.util.DefaultParamsWriter#getMetadataToSave")),
            Map.entry(
                    "ml.StageFolder",
                    Set.of(
                            "ml.util.DefaultParamsReader#<init>",
                            "ml.util.DefaultParamsReader#session",
                            "ml.util.DefaultParamsWriter#saveMetadata")),
            Map.entry(
                    "ml.StagePath",
                    Set.of("ml.util.DefaultParamsReader#className", "ml.util.DefaultParamsReader#loadMetadata")),
            Map.entry(
                    "options.OptionFile",
                    Set.of("unsafe.types.UTF8String#fromString", "unsafe.types.UTF8String#levenshteinDistance")),
            Map.entry("spark.check.ClusterCheck", Set.of("storage.BlockManager#blockManagerId")),
            Map.entry(
                    "spark.cluster.ProcessSerializer",
                    Set.of(
                            "rdd.ShuffledRDD#setSerializer",
                            "serializer.Serializer#<init>",
                            "serializer.Serializer#newInstance",
                            "serializer.Serializer#supportsRelocationOfSerializedObjects",
                            "serializer.SerializerInstance")),
            Map.entry(
                    "spark.blocks.BlockFetch",
                    Set.of(
                            "network.BlockTransferService#fetchBlocks",
                            "network.buffer.ManagedBuffer#createInputStream",
                            "network.buffer.ManagedBuffer#release",
                            "network.buffer.ManagedBuffer#retain",
                            "network.buffer.ManagedBuffer#size",
                            "network.shuffle.BlockFetchingListener",
                            "storage.BlockManager#blockTransferService")),
            Map.entry(
                    "spark.blocks.BlockMemory",
                    Set.of("util.io.ChunkedByteBuffer#<init>", "util.io.ChunkedByteBuffer#dispose")),
            Map.entry(
                    "spark.blocks.ExecutorBlocks",
                    Set.of(
                            "network.buffer.ManagedBuffer#nioByteBuffer",
                            "network.buffer.ManagedBuffer#release",
                            "storage.BlockId#name",
                            "storage.BlockManager#getLocalBlockData",
                            "storage.BlockManager#getStatus",
                            "storage.BlockManager#removeBlock",
                            "storage.BlockManager#removeBroadcast",
                            "storage.BlockStatus#memSize",
                            "storage.BroadcastBlockId#<init>",
                            "util.io.ChunkedByteBuffer#dispose")),
            Map.entry(
                    "spark.blocks.ExecutorPlace",
                    Set.of(
                            "storage.BlockManager#blockManagerId",
                            "storage.BlockManager#master",
                            "storage.BlockManagerMaster#getMemoryStatus")),
            Map.entry(
                    "spark.speed.DriverWork",
                    Set.of(
                            "storage.BlockManager#master",
                            "storage.BlockManagerMaster#contains",
                            "storage.BroadcastBlockId#<init>")),
            Map.entry("spark.exchange.PartGroups", Set.of("shuffle.FetchFailedException#<init>")),
            Map.entry(
                    "spark.exchange.ShuffleExchange",
                    Set.of("ShuffleDependency#shuffleId", "shuffle.FetchFailedException")),
            Map.entry(
                    "spark.ui.RunHistoryPlugin",
                    Set.of(
                            "status.AppHistoryServerPlugin",
                            "status.AppStatusStore#store",
                            "status.ElementTrackingStore",
                            "ui.SparkUI#attachTab",
                            "ui.SparkUI#store")),
            Map.entry("spark.ui.RunPage", Set.of("ui.WebUIPage#<init>")),
            Map.entry(
                    "spark.ui.RunPages",
                    Set.of(
                            "scheduler.LiveListenerBus#post",
                            "status.AppStatusStore#store",
                            "ui.SparkUI#attachTab",
                            "ui.SparkUI#getTabs",
                            "ui.SparkUI#store",
                            "util.kvstore.KVStore#view",
                            "util.kvstore.KVStoreIterator#close",
                            "util.kvstore.KVStoreIterator#forEachRemaining",
                            "util.kvstore.KVStoreView#closeableIterator")),
            Map.entry(
                    "spark.ui.RunTab",
                    Set.of("ui.SparkUI", "ui.SparkUITab#<init>", "ui.UIUtils#MODULE$", "util.kvstore.KVStore")),
            Map.entry(
                    "spark.watch.RunListener",
                    Set.of(
                            "status.ElementTrackingStore#onFlush",
                            "util.kvstore.KVStore#delete",
                            "util.kvstore.KVStore#write")),
            Map.entry(
                    "spark.watch.RunSource",
                    Set.of(
                            "metrics.MetricsSystem#registerSource",
                            "metrics.MetricsSystem#removeSource",
                            "metrics.source.Source")),
            Map.entry("spark.watch.RunView", Set.of("util.kvstore.KVIndex")));

    private SparkBorder() {}

    @ArchTest
    static void sparksPrivateClassesAreUsedWhereTheListSaysAlone(JavaClasses ours) {
        Map<String, Set<String>> found = new TreeMap<>();
        for (JavaClass type : ours) {
            Set<String> uses = uses(type);
            if (!uses.isEmpty()) {
                found.computeIfAbsent(name(type, "org.sparkqlora."), name -> new TreeSet<>())
                        .addAll(uses);
            }
        }

        found.values().forEach(SparkBorder::leaveOutClassesWithMembers);
        assertThat(found).isEqualTo(usesIn(ours));
    }

    /** Spark's private classes that {@code type} knows, and their methods and fields that it uses. */
    private static Set<String> uses(JavaClass type) {
        Stream<String> classes = type.getDirectDependenciesFromSelf().stream()
                .map(use -> use.getTargetClass().getBaseComponentType())
                .filter(SparkBorder::isPrivate)
                .map(used -> name(used, SPARK));
        Stream<String> members = type.getAccessesFromSelf().stream()
                .map(JavaAccess::getTarget)
                .filter(target -> isPrivate(target.getOwner()))
                .map(target -> name(target.getOwner(), SPARK) + MEMBER + target.getName());
        return Stream.concat(classes, members).collect(Collectors.toSet());
    }

    private static void leaveOutClassesWithMembers(Set<String> uses) {
        Set<String> told = uses.stream()
                .filter(use -> use.contains(MEMBER))
                .map(use -> use.substring(0, use.indexOf(MEMBER)))
                .collect(Collectors.toSet());
        uses.removeAll(told);
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
