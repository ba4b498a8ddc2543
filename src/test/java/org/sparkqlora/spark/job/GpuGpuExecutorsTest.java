package org.sparkqlora.spark.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.sparkqlora.tensor.DeviceChoice;
import org.sparkqlora.tensor.cuda.CudaDriver;
import org.sparkqlora.tensor.cuda.Gpu;

/** With the GPUs of this machine, be it one. */
@Tag("gpu")
class GpuGpuExecutorsTest extends GpuExecutorsContract {
    private static final Path SHIPPED = Path.of("spark-conf", "standalone-gpu.conf");
    private static final String ENVIRONMENT = "spark.executorEnv.";

    @Override
    int gpus() {
        return CudaDriver.find().devices();
    }

    @Override
    DeviceChoice device() {
        return DeviceChoice.AUTO;
    }

    @Test
    void blocksOfAnExecutorGrowInPlaceByTheShippedSettings() throws IOException {
        Map<String, String> shipped = Files.readAllLines(SHIPPED).stream()
                .filter(line -> line.startsWith(ENVIRONMENT))
                .map(line -> line.split("\\s+", 2))
                .collect(Collectors.toMap(setting -> setting[0], setting -> setting[1]));
        try (JavaSparkContext cluster = Clusters.start("local-cluster[1,1,1024]", shipped)) {
            assertThat(cluster.parallelize(List.of(0), 1)
                            .map(Gpu::open)
                            .map(gpu -> growsInPlace())
                            .collect())
                    .containsExactly(true);
        }
    }

    /** Asks libtorch's allocator, whose classes a build without CUDA cannot link. Runs in a task. */
    private static boolean growsInPlace() throws ReflectiveOperationException {
        Object allocator = Class.forName("org.bytedeco.pytorch.global.torch_cuda")
                .getMethod("getAllocator")
                .invoke(null);
        return (boolean) of(of(of(allocator, "snapshot"), "config_metadata"), "expandable_segments");
    }

    private static Object of(Object owner, String method) throws ReflectiveOperationException {
        return owner.getClass().getMethod(method).invoke(owner);
    }
}
