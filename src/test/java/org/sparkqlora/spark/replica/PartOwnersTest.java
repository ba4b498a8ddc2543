package org.sparkqlora.spark.replica;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sparkqlora.spark.blocks.ExecutorPlace;

class PartOwnersTest {
    @ParameterizedTest(name = "{0} executors, {1} parts, {2} tasks an owner")
    @CsvSource({"2, 1, 1", "2, 32, 4", "3, 32, 1", "5, 33, 2", "40, 32, 2"})
    void eachPartHasTwoOwners(int executors, int parts, int tasks) {
        List<PartOwners.Task> all = owners(executors, parts).tasks(tasks);

        List<Integer> made =
                all.stream().flatMap(task -> task.parts().stream()).sorted().toList();
        assertThat(made)
                .isEqualTo(IntStream.range(0, parts)
                        .boxed()
                        .flatMap(part -> Collections.nCopies(2, part).stream())
                        .toList());
        for (int part = 0; part < parts; part++) {
            int number = part;
            assertThat(all.stream()
                            .filter(task -> task.parts().contains(number))
                            .map(task -> task.places().get(0))
                            .distinct())
                    .hasSize(2);
        }
    }

    @Test
    void neighbouringPartsHaveOneOwner() {
        assertThat(owners(3, 7).tasks(1))
                .extracting(PartOwners.Task::parts)
                .containsExactly(List.of(0, 1, 2, 5, 6), List.of(3, 4, 0, 1, 2), List.of(5, 6, 3, 4));
    }

    @Test
    void oneExecutorOwnsAllOnce() {
        assertThat(owners(1, 3).tasks(2)).extracting(PartOwners.Task::parts).containsExactly(List.of(0), List.of(1, 2));
    }

    @Test
    void whoeverComesTakesAllWhereThereIsNoExecutorYet() {
        PartOwners.Task task = owners(0, 3).tasks(2).get(0);

        assertThat(task.parts()).containsExactly(0, 1, 2);
        assertThat(task.places()).isEmpty();
    }

    private static PartOwners owners(int executors, int parts) {
        return new PartOwners(
                IntStream.range(0, executors)
                        .mapToObj(id -> new ExecutorPlace("" + id, "host-" + id, 7000))
                        .toList(),
                parts);
    }
}
