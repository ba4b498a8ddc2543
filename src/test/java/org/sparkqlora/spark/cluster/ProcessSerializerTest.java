package org.sparkqlora.spark.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.esotericsoftware.kryo.Kryo;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.apache.spark.HashPartitioner;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.serializer.KryoRegistrator;
import org.junit.jupiter.api.Test;
import org.sparkqlora.spark.job.Clusters;
import scala.Tuple2;

class ProcessSerializerTest {
    private static final int TASKS = 16;

    private static final AtomicInteger KRYOS = new AtomicInteger();

    @Test
    void aShuffleUsesTheKryosThatAreThere() {
        try (JavaSparkContext context = new JavaSparkContext(Clusters.configuration("local[2]")
                .set("spark.kryo.registrator", Counting.class.getName())
                .set("spark.kryo.registrationRequired", "false"))) {
            shuffle(context); // makes those that two threads use at once
            int before = KRYOS.get();
            List<Tuple2<Long, Long>> sorted = shuffle(context);

            assertThat(sorted).hasSize(TASKS * TASKS);
            assertThat(KRYOS.get() - before)
                    .as("registrations by %d tasks", 2 * TASKS)
                    .isLessThan(TASKS / 2);
        }
    }

    private static List<Tuple2<Long, Long>> shuffle(JavaSparkContext context) {
        JavaPairRDD<Long, Long> numbers = context.parallelize(
                        IntStream.range(0, TASKS).boxed().toList(), TASKS)
                .flatMapToPair(task -> IntStream.range(0, TASKS)
                        .mapToObj(number -> new Tuple2<>((long) number, (long) task))
                        .iterator());
        return ProcessSerializer.of(numbers.repartitionAndSortWithinPartitions(new HashPartitioner(TASKS)))
                .collect();
    }

    /** Every Kryo asks it once. */
    public static final class Counting implements KryoRegistrator {
        @Override
        public void registerClasses(Kryo kryo) {
            KRYOS.incrementAndGet();
        }
    }
}
