package org.sparkqlora.spark.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.internal.config.ConfigEntry;
import org.apache.spark.network.util.MapConfigProvider;
import org.apache.spark.network.util.TransportConf;
import org.apache.spark.util.Utils;
import org.bytedeco.javacpp.Loader;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.spark.kryo.TrainRegistrator;
import org.sparkqlora.tensor.Natives;

/** The files of {@code spark-conf/}: Spark knows what they set, every reason stands there, and none lacks what a run needs. */
@Tag("spark-line")
class ShippedSettingsTest {
    private static final Path FOLDER = Path.of("spark-conf");

    /** The objects of Spark that declare its settings: an entry is known once its object has been made. */
    private static final List<String> REGISTRIES = List.of(
            "org.apache.spark.internal.config.package$",
            "org.apache.spark.internal.config.Deploy$",
            "org.apache.spark.internal.config.History$",
            "org.apache.spark.internal.config.Kryo$",
            "org.apache.spark.internal.config.Network$",
            "org.apache.spark.internal.config.Status$",
            "org.apache.spark.internal.config.UI$",
            "org.apache.spark.internal.config.Worker$",
            "org.apache.spark.deploy.k8s.Config$",
            "org.apache.spark.deploy.yarn.config.package$",
            "org.apache.spark.sql.internal.SQLConf$",
            "org.apache.spark.sql.internal.StaticSQLConf$");

    /** Families of settings, of which Spark declares no single one. */
    private static final List<Pattern> FAMILIES = List.of(
            Pattern.compile("spark\\.(executorEnv|yarn\\.appMasterEnv|kubernetes\\.driverEnv)\\.[A-Z_]+"),
            Pattern.compile("spark\\.(executor|task|worker)\\.resource\\.gpu\\.(amount|discoveryScript|vendor)"),
            Pattern.compile("spark\\.kubernetes\\.(driver|executor)\\.volumes\\.emptyDir\\.spark-local-dir-1\\."
                    + "(mount\\.path|options\\.sizeLimit)"));

    private static final String HANDSHAKE = "spark.network.crypto.authEngineVersion";
    private static final String CIPHER = "spark.network.crypto.cipher";

    /** Settings that Spark reads without declaring them: its network library, and its scheduler. */
    private static final List<String> UNDECLARED = List.of(CIPHER, HANDSHAKE, "spark.stage.maxConsecutiveAttempts");

    /** Settings that every run needs, and those that only a cluster of several processes needs. */
    private static final List<String> EVERYWHERE = List.of(
            "spark.driver.memory",
            "spark.executor.memory",
            "spark.driver.extraJavaOptions",
            "spark.executor.extraJavaOptions",
            "spark.executorEnv.OMP_WAIT_POLICY",
            "spark.executorEnv.GLIBC_TUNABLES",
            "spark.serializer",
            "spark.kryo.registrator",
            "spark.kryoserializer.buffer.max",
            "spark.task.reaper.enabled",
            "spark.task.maxFailures",
            "spark.decommission.enabled",
            "spark.locality.wait",
            "spark.broadcast.blockSize",
            "spark.ui.killEnabled",
            "spark.ui.retainedJobs");

    private static final List<String> ON_CLUSTERS = List.of("spark.executor.memoryOverhead", "spark.task.cpus");

    /** Settings of runs that last days on machines that come and go. */
    private static final List<String> LASTING = List.of(
            "spark.speculation",
            "spark.speculation.multiplier",
            "spark.speculation.quantile",
            "spark.speculation.minTaskRuntime",
            "spark.speculation.task.duration.threshold",
            "spark.speculation.efficiency.enabled",
            "spark.stage.ignoreDecommissionFetchFailure",
            "spark.stage.maxConsecutiveAttempts",
            "spark.scheduler.maxRetainedRemovedDecommissionExecutors");

    private static final List<String> EVENT_LOG =
            List.of("spark.eventLog.compress", "spark.eventLog.rolling.enabled", "spark.eventLog.rolling.maxFileSize");

    private static final List<String> SAFE = List.of(
            "spark.authenticate",
            "spark.network.crypto.enabled",
            CIPHER,
            HANDSHAKE,
            "spark.network.crypto.saslFallback",
            "spark.io.encryption.enabled");

    private static final String ALLOCATOR = "PYTORCH_CUDA_ALLOC_CONF";
    private static final String GROWING = "expandable_segments";

    @BeforeAll
    static void makeRegistries() throws ClassNotFoundException {
        for (String registry : REGISTRIES) {
            Class.forName(registry);
        }
    }

    static List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(FOLDER)) {
            return files.filter(file -> file.toString().endsWith(".conf"))
                    .sorted(Comparator.comparing(Path::toString))
                    .toList();
        }
    }

    @Test
    void thereIsAFileForEachEnvironmentAndForItsGpus() throws IOException {
        assertThat(files().stream().map(file -> file.getFileName().toString()))
                .containsExactly(
                        "databricks-gpu.conf",
                        "databricks.conf",
                        "emr-gpu.conf",
                        "emr.conf",
                        "kubernetes-gpu.conf",
                        "kubernetes.conf",
                        "local.conf",
                        "standalone-daemon-gpu.conf",
                        "standalone-daemon.conf",
                        "standalone-gpu.conf",
                        "standalone.conf",
                        "yarn-gpu.conf",
                        "yarn.conf");
    }

    @ParameterizedTest
    @MethodSource("files")
    void sparkKnowsEverySettingAndTakesItsValue(Path file) {
        Map<String, String> settings = read(file);
        SparkConf conf = new SparkConf(false);
        settings.forEach(conf::set);
        List<String> unknown = new ArrayList<>();
        for (String key : settings.keySet()) {
            ConfigEntry<?> entry = ConfigEntry.findEntry(key);
            if (entry != null) {
                assertThat(conf.get(entry)).as(key).isNotNull();
            } else if (!UNDECLARED.contains(key)
                    && FAMILIES.stream().noneMatch(family -> family.matcher(key).matches())) {
                unknown.add(key);
            }
        }

        assertThat(settings).isNotEmpty();
        assertThat(unknown).isEmpty();
    }

    @Test
    void anUnknownSettingWouldBeFound() {
        assertThat(ConfigEntry.findEntry("spark.decommission.enabled")).isNotNull();
        assertThat(ConfigEntry.findEntry("spark.decomission.enabled")).isNull();
    }

    @Test
    void theNetworkLibraryEncryptsByItsNewestHandshakeInTheModeThatEverySparkOfTheLineCanRead() {
        TransportConf rpc = new TransportConf("rpc", new MapConfigProvider(read(FOLDER.resolve("yarn.conf"))));

        assertThat(rpc.authEngineVersion()).isEqualTo(2);
        assertThat(rpc.cipherTransformation()).isEqualTo("AES/CTR/NoPadding");
        assertThat(rpc.encryptionEnabled()).isTrue();
        assertThat(rpc.saslFallback()).isFalse();
    }

    @ParameterizedTest
    @MethodSource("files")
    void aReasonStandsBeforeEverySettingAndNoneIsSetTwice(Path file) throws IOException {
        List<String> keys = new ArrayList<>();
        boolean reasoned = false;
        for (String line : Files.readAllLines(file)) {
            if (line.isEmpty()) {
                reasoned = false;
            } else if (line.startsWith("#")) {
                reasoned = true;
            } else {
                assertThat(reasoned).as(line).isTrue();
                keys.add(line.substring(0, line.indexOf(' ')));
            }
        }

        assertThat(keys).doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @ValueSource(strings = {"local", "standalone", "yarn", "emr", "databricks", "kubernetes"})
    void whatEveryRunNeedsIsTheSameEverywhere(String environment) {
        Map<String, String> settings = read(FOLDER.resolve(environment + ".conf"));
        Map<String, String> local = read(FOLDER.resolve("local.conf"));

        assertThat(settings.keySet()).containsAll(EVERYWHERE);
        EVERYWHERE.stream()
                .filter(key -> !key.endsWith(".memory"))
                .forEach(key -> assertThat(settings.get(key)).as(key).isEqualTo(local.get(key)));
        assertThat(settings.get("spark.kryo.registrator")).isEqualTo(TrainRegistrator.class.getName());
    }

    @ParameterizedTest
    @MethodSource("files")
    void noneRefusesClassesOfOtherLibrariesInTheSameSession(Path file) {
        assertThat(read(file)).doesNotContainKey("spark.kryo.registrationRequired");
    }

    @ParameterizedTest
    @ValueSource(strings = {"standalone", "yarn", "emr", "databricks", "kubernetes"})
    void clustersLeaveRoomForTheModelBesideTheHeap(String environment) {
        assertThat(read(FOLDER.resolve(environment + ".conf")).keySet()).containsAll(ON_CLUSTERS);
    }

    @ParameterizedTest
    @ValueSource(strings = {"standalone", "yarn", "emr", "databricks", "kubernetes"})
    void clustersGoOnWithoutSlowAndLostExecutorsInTheSameWay(String environment) {
        Map<String, String> settings = read(FOLDER.resolve(environment + ".conf"));
        Map<String, String> yarn = read(FOLDER.resolve("yarn.conf"));

        assertThat(LASTING)
                .allSatisfy(
                        key -> assertThat(settings.get(key)).as(key).isNotNull().isEqualTo(yarn.get(key)));
        assertThat(settings).containsEntry("spark.speculation", "true");
    }

    @ParameterizedTest
    @ValueSource(strings = {"local", "standalone", "yarn", "emr", "kubernetes"})
    void anEventLogStaysSmallButOnlyWhereTheClusterKeepsOne(String environment) {
        Map<String, String> settings = read(FOLDER.resolve(environment + ".conf"));

        assertThat(settings.keySet()).containsAll(EVENT_LOG).doesNotContain("spark.eventLog.enabled");
    }

    @Test
    void lostDriversOfYarnCountForAnHour() {
        assertThat(read(FOLDER.resolve("yarn.conf")))
                .containsEntry("spark.yarn.maxAppAttempts", "2")
                .containsEntry("spark.yarn.am.attemptFailuresValidityInterval", "1h");
    }

    @ParameterizedTest
    @ValueSource(strings = {"standalone", "yarn", "emr", "kubernetes"})
    void clustersAuthenticateAndEncryptAndHoldNoSecret(String environment) {
        Map<String, String> settings = read(FOLDER.resolve(environment + ".conf"));

        assertThat(settings.keySet()).containsAll(SAFE);
        assertThat(settings).containsEntry("spark.authenticate", "true");
        assertThat(settings.keySet()).noneMatch(key -> key.matches("(?i).*(secret|password|token|access[.]?key).*"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"standalone", "yarn", "emr", "kubernetes"})
    void withTheOverlayATaskThatComputesHoldsAGpu(String environment) {
        Map<String, String> settings = new TreeMap<>(read(FOLDER.resolve(environment + ".conf")));
        settings.putAll(read(FOLDER.resolve(environment + "-gpu.conf")));
        SparkConf conf = new SparkConf(false).setMaster("spark://host:7077");
        settings.forEach(conf::set);

        assertThat(ModelTasks.of(conf)).isEqualTo(new ModelTasks(4, true));
    }

    @ParameterizedTest
    @ValueSource(strings = {"standalone", "yarn", "emr", "databricks", "kubernetes"})
    void blocksOfGpuMemoryGrowInPlace(String environment) {
        assertThat(read(FOLDER.resolve(environment + "-gpu.conf")))
                .containsEntry("spark.executorEnv." + ALLOCATOR, GROWING + ":True");
    }

    @Test
    void libtorchKnowsTheVariableAndItsOption() throws IOException {
        Natives.load(); // which says where libraries are unpacked, before anything is
        File library = Loader.cacheResource("/org/bytedeco/pytorch/%s/libc10.so".formatted(Loader.getPlatform()));

        assertThat(Files.readString(library.toPath(), StandardCharsets.ISO_8859_1))
                .contains("\0" + ALLOCATOR + "\0", "\0" + GROWING + "\0");
    }

    /** The settings as Spark itself reads them from the file. */
    private static Map<String, String> read(Path file) {
        Map<String, String> settings = new TreeMap<>();
        Utils.getPropertiesFromFile(file.toString()).foreach(entry -> settings.put(entry._1(), entry._2()));
        return settings;
    }
}
