package org.sparkqlora.spark.replica;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.sparkqlora.spark.blocks.ExecutorPlace;

/**
 * The executors that own the parts of a State: neighbouring parts have one owner, and each has a second one that does the same, where there
 * are several executors. Who is lost costs no step then.
 *
 * @param executors in a fixed order
 * @param parts their number
 */
public record PartOwners(List<ExecutorPlace> executors, int parts) {
    /** Owners of a part. */
    public static final int COPIES = 2;

    public PartOwners {
        executors = List.copyOf(executors);
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
        int count = executors.size();
        return IntStream.range(0, Math.min(COPIES, count))
                .boxed()
                .flatMap(copy -> IntStream.range(0, parts)
                        .filter(part -> ((long) part * count / parts + copy) % count == owner)
                        .boxed())
                .toList();
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
