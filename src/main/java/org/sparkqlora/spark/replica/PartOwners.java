package org.sparkqlora.spark.replica;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.sparkqlora.spark.blocks.ExecutorPlace;

/**
 * The executors that own the parts of a State: neighbouring parts have one owner, and each has a second one that does the same, where there
 * are several executors, on another host if there is one. Who is lost costs no step then.
 *
 * @param executors neighbours of which own the same parts
 * @param parts their number
 */
record PartOwners(List<ExecutorPlace> executors, int parts) {
    PartOwners {
        executors = List.copyOf(executors);
    }

    /** With {@code executors}, which are in a fixed order, so that neighbours are on different hosts as far as that goes. */
    static PartOwners of(List<ExecutorPlace> executors, int parts) {
        Map<String, Integer> known = new HashMap<>();
        Map<ExecutorPlace, Integer> ranks = new HashMap<>();
        executors.forEach(place -> ranks.put(place, known.merge(place.host(), 1, Integer::sum)));
        return new PartOwners(
                executors.stream().sorted(Comparator.comparing(ranks::get)).toList(), parts);
    }

    /**
     * The tasks that make all parts where their owners are.
     *
     * @param tasksOfOwner at most, each of neighbouring parts
     */
    List<Task> tasks(int tasksOfOwner) {
        if (executors.isEmpty()) {
            return List.of(new Task(List.of(), IntStream.range(0, parts).boxed().toList()));
        }

        return IntStream.range(0, executors.size())
                .boxed()
                .flatMap(owner -> cut(partsOf(owner), tasksOfOwner).stream()
                        .map(numbers -> new Task(List.of(executors.get(owner)), numbers)))
                .toList();
    }

    private List<Integer> partsOf(int owner) {
        IntPredicate isFirst = part -> firstOwner(part) == owner;
        IntPredicate isSecond = part -> secondOwner(firstOwner(part)) == owner;
        return Stream.of(isFirst, isSecond.and(isFirst.negate()))
                .flatMap(owns -> IntStream.range(0, parts).filter(owns).boxed())
                .toList();
    }

    private int firstOwner(int part) {
        return (int) ((long) part * executors.size() / parts);
    }

    /** The next one on another host, or else the next one. */
    private int secondOwner(int first) {
        String host = executors.get(first).host();
        return IntStream.range(first + 1, first + executors.size())
                .map(place -> place % executors.size())
                .filter(place -> !executors.get(place).host().equals(host))
                .findFirst()
                .orElse((first + 1) % executors.size());
    }

    private static List<List<Integer>> cut(List<Integer> numbers, int most) {
        List<List<Integer>> tasks = new ArrayList<>();
        int count = Math.min(most, numbers.size());
        for (int task = 0; task < count; task++) {
            tasks.add(numbers.subList(numbers.size() * task / count, numbers.size() * (task + 1) / count));
        }

        return tasks;
    }

    /**
     * A task.
     *
     * @param places where it runs if it can
     * @param parts that it makes
     */
    record Task(List<ExecutorPlace> places, List<Integer> parts) {
        Task {
            places = List.copyOf(places);
            parts = List.copyOf(parts);
        }
    }
}
