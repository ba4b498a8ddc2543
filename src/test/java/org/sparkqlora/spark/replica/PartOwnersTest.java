package org.sparkqlora.spark.replica;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
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

    /** Each of so many executors. */
    static Stream<List<Integer>> hosts() {
        return Stream.of(List.of(2, 2), List.of(3, 3, 3), List.of(4, 3, 2), List.of(1, 1, 1, 1, 1));
    }

    @ParameterizedTest(name = "hosts of {0}")
    @MethodSource("hosts")
    void ownersOfAPartAreOnDifferentHosts(List<Integer> sizes) {
        List<ExecutorPlace> executors = new ArrayList<>();
        for (int size : sizes) {
            String host = "host-" + executors.size();
            for (int i = 0; i < size; i++) {
                executors.add(new ExecutorPlace("" + executors.size(), host, 7000));
            }
        }

        Map<Integer, Set<String>> hosts = new TreeMap<>();
        for (PartOwners.Task task : PartOwners.of(executors, 32).tasks(1)) {
            task.parts()
                    .forEach(part -> hosts.computeIfAbsent(part, any -> new HashSet<>())
                            .add(task.places().get(0).host()));
        }

        assertThat(hosts).hasSize(32).allSatisfy((part, of) -> assertThat(of).hasSize(2));
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
