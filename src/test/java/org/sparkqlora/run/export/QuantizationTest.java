package org.sparkqlora.run.export;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.checkpoint.hub.HubId;
import org.sparkqlora.checkpoint.hub.ModelPlace;
import org.sparkqlora.checkpoint.hub.SmallHub;
import org.sparkqlora.options.Console;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.spark.job.Clusters;
import org.sparkqlora.storage.LocalFiles;
import org.sparkqlora.storage.ModelCache;
import org.sparkqlora.weights.QuantizationReport;

@Timeout(120)
class QuantizationTest {
    private static final Path GOLDENS = Path.of("src/test/resources/goldens").toAbsolutePath();

    /** Several weights a file, and several files. */
    private static final long FILE_BYTES = 40_000;

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"models/llama-sharded", "models/gpt_oss", "models/gpt_oss-mxfp4", "float8/tensors"})
    void twoExecutorsWriteTheBytesOfOneProcessAlsoStraightFromAHub(String name) throws IOException {
        Path base = GOLDENS.resolve(name).resolve("base");
        ModelPlace here = new ModelPlace(base.toString(), Map.of());
        Path expected = folder.resolve("expected");
        QuantizationReport report = Clusters.on(Clusters.ONE_SLOT, context -> quantize(context, here, expected));
        Set<String> executors = ConcurrentHashMap.newKeySet();

        try (JavaSparkContext cluster = Clusters.start(Clusters.TWO_EXECUTORS);
                SmallHub hub = hub(base)) {
            Clusters.awaitExecutors(cluster, 2);
            cluster.sc().addSparkListener(listener(executors));
            assertThat(quantize(cluster, here, folder.resolve("found"))).isEqualTo(report);
            assertThat(quantize(cluster, onHub(hub), folder.resolve("from-hub")))
                    .isEqualTo(report);
            assertThat(hub.requests)
                    .filteredOn(request -> request.startsWith("file") && request.contains(".safetensors "))
                    .isNotEmpty()
                    .noneMatch(request -> request.contains("range null"));
        }

        assertThat(executors).hasSize(2);
        assertSame(folder.resolve("found"), expected, List.of());
        assertSame(folder.resolve("from-hub"), expected, List.of("published.json")); // it names the model
        assertThat(folder.resolve("cache")).doesNotExist();
    }

    private QuantizationReport quantize(JavaSparkContext context, ModelPlace model, Path target) {
        return new Quantization(model, ModelCache.at(folder.resolve("cache")), QuantSpec.DEFAULT, FILE_BYTES)
                .write(LocalFiles.system(), LocalFiles.path(target), () -> context, () -> {}, console());
    }

    private static SmallHub hub(Path base) throws IOException {
        SmallHub hub = new SmallHub();
        hub.files.clear();
        try (Stream<Path> files = Files.list(base)) {
            for (Path file : files.toList()) {
                hub.files.put(file.getFileName().toString(), Files.readAllBytes(file));
            }
        }

        return hub;
    }

    private static ModelPlace onHub(SmallHub hub) {
        String address = new HubId("org/small", SmallHub.COMMIT).address();
        return new ModelPlace(address, Map.of(), hub.access(null));
    }

    private static Console console() {
        PrintStream none = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
        return Console.log(none, none);
    }

    private static SparkListener listener(Set<String> executors) {
        return new SparkListener() {
            @Override
            public void onTaskEnd(SparkListenerTaskEnd end) {
                executors.add(end.taskInfo().executorId());
            }
        };
    }

    private static void assertSame(Path found, Path expected, List<String> but) {
        assertThat(found.toFile().list())
                .hasSizeGreaterThan(4)
                .containsExactlyInAnyOrder(expected.toFile().list());
        for (String name : expected.toFile().list()) {
            if (!but.contains(name)) {
                assertThat(found.resolve(name)).hasSameBinaryContentAs(expected.resolve(name));
            }
        }
    }
}
