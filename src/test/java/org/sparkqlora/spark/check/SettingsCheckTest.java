package org.sparkqlora.spark.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import java.util.List;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.sparkqlora.spark.cluster.ClusterSettings;
import org.sparkqlora.spark.exchange.ExchangeChoice;
import org.sparkqlora.spark.exchange.ExchangeKind;
import org.sparkqlora.spark.exchange.GradientSize;
import org.sparkqlora.spark.kryo.TrainRegistrator;
import org.sparkqlora.train.GradientDtype;

class SettingsCheckTest {
    private static final GradientSize SIZE = new GradientSize(1000, 4, GradientDtype.FP32);

    @Test
    void kryoWithoutOurRegistratorIsRefused() {
        assertThat(problems(kryo().set("spark.kryo.registrator", "org.example.Other")))
                .containsExactly("Cannot use Kryo: expected spark.kryo.registrator to hold"
                        + " org.sparkqlora.spark.kryo.TrainRegistrator, found 'org.example.Other'");
    }

    @Test
    void javaSerialisationAndIdleSlotsAreAdvice() {
        SparkConf settings = new SparkConf(false).setMaster("spark://host:7077");

        assertThat(SettingsCheck.problems(new ClusterSettings(settings), choice(settings)))
                .isEmpty();
        assertThat(SettingsCheck.advice(new ClusterSettings(settings), new SlotUse(16, 4, 3)))
                .containsExactly(
                        "4 shards on 3 task slots leave slots idle: a step takes 2 rounds. A multiple of 3 shards uses"
                                + " them all.",
                        "Java's serialisation copies gradients several times: set spark.serializer to"
                                + " org.apache.spark.serializer.KryoSerializer and spark.kryo.registrator to"
                                + " org.sparkqlora.spark.kryo.TrainRegistrator.");
        assertThat(SettingsCheck.advice(new ClusterSettings(kryo()), new SlotUse(16, 6, 3)))
                .isEmpty();
    }

    @Test
    void slotsWithoutARowAreAdviceThatNamesTheBatchSize() {
        assertThat(new SlotUse(16, 16, 64).advice())
                .hasValue("48 of 64 task slots stay idle: a step of 16 rows has 16 shards. A new run with"
                        + " --batch-size 64, or a multiple of 64, uses them all.");
        assertThat(new SlotUse(64, 8, 64).advice()).get(STRING).contains("A new run with --shards 64, or");
        assertThat(new SlotUse(16, 8, 64).advice())
                .get(STRING)
                .contains("A new run with --batch-size 64 and --shards 64, or");
        assertThat(new SlotUse(64, 64, 64).advice()).isEmpty();
        assertThat(new SlotUse(128, 128, 64).advice()).isEmpty();
    }

    @Test
    void gpusThatNoTaskWouldGetAreAdvice() {
        SparkConf idle = kryo().set("spark.executor.resource.gpu.amount", "2");
        SparkConf placed = kryo().set("spark.executor.resource.gpu.amount", "2").set("spark.executor.cores", "8");

        assertThat(SettingsCheck.advice(new ClusterSettings(idle), new SlotUse(16, 4, 4)))
                .containsExactly("The GPUs that executors hold (spark.executor.resource.gpu.amount) stay idle: set"
                        + " spark.task.resource.gpu.amount to 1, or, without dynamic allocation,"
                        + " spark.executor.cores to at least one a GPU.");
        assertThat(SettingsCheck.advice(new ClusterSettings(placed), new SlotUse(16, 4, 4)))
                .isEmpty();
        assertThat(SettingsCheck.advice(
                        new ClusterSettings(idle.set("spark.task.resource.gpu.amount", "1")), new SlotUse(16, 4, 4)))
                .isEmpty();
    }

    private static List<String> problems(SparkConf settings) {
        return SettingsCheck.problems(new ClusterSettings(settings), choice(settings));
    }

    private static ExchangeChoice choice(SparkConf settings) {
        return ExchangeChoice.of(ExchangeKind.COLLECT, SIZE, settings);
    }

    private static SparkConf kryo() {
        return new SparkConf(false)
                .setMaster("spark://host:7077")
                .set("spark.serializer", "org.apache.spark.serializer.KryoSerializer")
                .set("spark.kryo.registrator", TrainRegistrator.class.getName());
    }
}
