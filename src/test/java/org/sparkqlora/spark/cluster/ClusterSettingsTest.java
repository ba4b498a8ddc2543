package org.sparkqlora.spark.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.sparkqlora.tensor.DeviceChoice;

class ClusterSettingsTest {
    private static final long GIBI = 1L << 30;

    @Test
    void onThisMachineHalfOfItsMemoryIsRoom() {
        assertThat(settings("local[2]").roomOfExecutor(DeviceChoice.AUTO, 32 * GIBI))
                .hasValue(16 * GIBI);
    }

    @Test
    void whereTheManagerBoundsExecutorsHeapAndOverheadAreRoom() {
        assertThat(settings("yarn").roomOfExecutor(DeviceChoice.AUTO, GIBI)).hasValue(4 * GIBI + 2 * GIBI);
        assertThat(settings("k8s://https://host").roomOfExecutor(DeviceChoice.AUTO, GIBI))
                .hasValue(4 * GIBI + 2 * GIBI);
    }

    @Test
    void ofOtherMachinesAndOfGpusNothingIsKnown() {
        ClusterSettings gpus = new ClusterSettings(conf("yarn").set("spark.executor.resource.gpu.amount", "1"));

        assertThat(settings("spark://host:7077").roomOfExecutor(DeviceChoice.AUTO, GIBI))
                .isEmpty();
        assertThat(gpus.roomOfExecutor(DeviceChoice.AUTO, GIBI)).isEmpty();
        assertThat(gpus.onGpus(DeviceChoice.AUTO)).isTrue();
        assertThat(gpus.roomOfExecutor(DeviceChoice.CPU, GIBI)).hasValue(4 * GIBI + 2 * GIBI);
        assertThat(settings("local[2]").roomOfExecutor(DeviceChoice.CUDA, GIBI)).isEmpty();
    }

    private static ClusterSettings settings(String master) {
        return new ClusterSettings(conf(master));
    }

    private static SparkConf conf(String master) {
        return new SparkConf(false)
                .setMaster(master)
                .set("spark.executor.memory", "4g")
                .set("spark.executor.memoryOverhead", "2g");
    }
}
