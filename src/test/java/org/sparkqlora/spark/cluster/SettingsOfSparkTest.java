package org.sparkqlora.spark.cluster;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsOfSparkTest {
    @ParameterizedTest
    @CsvSource({"local,1", "local[2],2", "local[4],3", "'local[4, 2]',4", "local[*],1", "local-cluster[2;1;1024],9"})
    void aTaskThatFitsIsLetThrough(String master, String cpus) {
        assertThatCode(() -> SettingsOfSpark.check(conf(master, cpus))).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(strings = {"local", "local[2]", "local[3,5]"})
    void aMasterWithFewerCoresIsRefused(String master) {
        assertThatThrownBy(() -> SettingsOfSpark.check(conf(master, "4")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "Cannot run a task: expected a master with at least spark.task.cpus cores, 4, found %s. Raise the one or lower the other.",
                        master);
    }

    @Test
    void anExecutorWithFewerCoresIsRefused() {
        SparkConf conf = conf("yarn", "4").set("spark.executor.cores", "2");

        assertThatThrownBy(() -> SettingsOfSpark.check(conf))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "Cannot run a task: expected spark.executor.cores of at least spark.task.cpus, 4, found 2. Raise the one or lower the other.");
    }

    private static SparkConf conf(String master, String cpus) {
        return new SparkConf(false).setMaster(master).set("spark.task.cpus", cpus);
    }
}
