package org.sparkqlora.spark.prepare;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import scala.Tuple2;

class RecordBatchesTest {
    private static final long SIZE = 10;

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void sortedBatchesHoldTheTakenRecordsInTheirOrder(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        List<Tuple2<Long, String>> records = LongStream.range(0, random.nextInt(1, 80))
                .mapToObj(place -> record(place, random))
                .toList();
        long oneIn = random.nextInt(1, 4);

        List<Tuple2<Long, byte[]>> batches = new ArrayList<>();
        for (List<Tuple2<Long, String>> part : blocksInSomeOrder(records, random)) {
            new GroupRuns(part.iterator(), SIZE)
                    .forEachRemaining(run ->
                            RecordBatches.pack(run, place -> place % oneIn == 0).forEachRemaining(batches::add));
        }

        batches.sort(Comparator.comparing(Tuple2::_1));
        assertThat(list(RecordBatches.unpack(batches.stream().map(Tuple2::_2).iterator())))
                .isEqualTo(records.stream()
                        .filter(record -> record._1() % oneIn == 0)
                        .toList());
    }

    @Test
    void aRunIsOfOneGroupAndHasNoGap() {
        List<Tuple2<Long, String>> records = new ArrayList<>(texts(25, "a"));
        records.remove(14);

        List<String> runs = new ArrayList<>();
        new GroupRuns(records.iterator(), SIZE).forEachRemaining(run -> {
            run.forEachRemaining(record -> assertThat(record._1() / SIZE).isEqualTo(run.group()));
            runs.add(run.first() + "-" + run.end());
        });

        assertThat(runs).containsExactly("0-10", "10-14", "15-20", "20-25");
    }

    @Test
    void aLongBatchEnds() {
        List<Tuple2<Long, byte[]>> batches =
                list(RecordBatches.pack(texts(4, "a".repeat(RecordBatches.LONG)).iterator(), place -> true));

        assertThat(batches).extracting(Tuple2::_1).containsExactly(0L, 1L, 2L, 3L);
        assertThat(batches).allMatch(batch -> batch._2().length < 1000);
    }

    @Test
    void noRecordsAreNoBatch() {
        assertThat(RecordBatches.pack(texts(5, "a").iterator(), place -> false)).isExhausted();
        assertThat(RecordBatches.unpack(List.<byte[]>of().iterator())).isExhausted();
    }

    /** As Spark may put pieces of several files into one part. */
    private static List<List<Tuple2<Long, String>>> blocksInSomeOrder(
            List<Tuple2<Long, String>> records, SplittableRandom random) {
        List<Tuple2<Long, String>> even = new ArrayList<>();
        List<Tuple2<Long, String>> odd = new ArrayList<>();
        int block = random.nextInt(1, 20);
        for (int from = 0; from < records.size(); from += block) {
            List<Tuple2<Long, String>> piece = records.subList(from, Math.min(records.size(), from + block));
            (from / block % 2 == 0 ? even : odd).addAll(0, piece);
        }

        return List.of(odd, even);
    }

    private static Tuple2<Long, String> record(long place, SplittableRandom random) {
        return switch (random.nextInt(4)) {
            case 0 -> new Tuple2<>(place, null);
            case 1 -> new Tuple2<>(place, "");
            default -> new Tuple2<>(place, "text " + place + " \u00e9\ud83d\ude80");
        };
    }

    private static List<Tuple2<Long, String>> texts(int count, String text) {
        return LongStream.range(0, count)
                .mapToObj(place -> new Tuple2<>(place, text))
                .toList();
    }

    private static <T> List<T> list(Iterator<T> values) {
        List<T> all = new ArrayList<>();
        values.forEachRemaining(all::add);
        return all;
    }

    private static LongStream seeds() {
        return LongStream.range(0, 50);
    }
}
