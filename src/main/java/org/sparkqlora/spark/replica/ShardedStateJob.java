package org.sparkqlora.spark.replica;

import java.io.IOException;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.memory.ExchangeMemory;
import org.sparkqlora.optim.Optimizer;
import org.sparkqlora.optim.OptimizerPart;
import org.sparkqlora.spark.blocks.ExecutorBlocks;
import org.sparkqlora.spark.blocks.ExecutorBlocks.LostBlockException;
import org.sparkqlora.spark.blocks.ExecutorPlace;
import org.sparkqlora.spark.blocks.PlacedTasks;
import org.sparkqlora.spark.cluster.CancelledJob;
import org.sparkqlora.spark.cluster.TaskSlots;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.Position;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.StateOrigin;
import org.sparkqlora.train.UnreachableStateException;
import org.sparkqlora.train.Update;

/**
 * A job that makes a State in parts, each by its owners. Driver only.
 *
 * @param cut the parts
 */
public record ShardedStateJob(JavaSparkContext context, RunHandle run, List<OptimizerPart> cut) {
    /**
     * The State at {@code position}; empty where some part's making found what it needs lost.
     *
     * @param owners executors among which the parts are divided
     */
    Optional<ShardedState> make(Position position, List<ExecutorPlace> owners, Maker maker) {
        int executors = ExecutorPlace.all().size();
        int slots = Math.max(1, TaskSlots.available(context) / Math.max(1, executors));
        List<PartOwners.Task> tasks = PartOwners.of(owners, cut.size()).tasks(maker.makesAllOrNone() ? 1 : slots);
        List<List<Integer>> parts = tasks.stream().map(PartOwners.Task::parts).toList();
        ExecutorBlocks blocks = ExecutorBlocks.open(context);
        try {
            List<Made> made = PlacedTasks.withModel(
                            context,
                            IntStream.range(0, tasks.size()).boxed().toList(),
                            task -> tasks.get(task).places())
                    .flatMap(new MakeParts(run, cut, parts, maker, blocks))
                    .collect();
            Optional<List<ShardedState.Part>> whole = whole(made);
            if (whole.isEmpty()) {
                blocks.close();
            }

            return whole.map(all -> new ShardedState(position, blocks, all));
        } catch (Exception e) { // Spark throws some that no signature declares
            blocks.close();
            CancelledJob.rethrow(e);
            throw e;
        }
    }

    private Optional<List<ShardedState.Part>> whole(List<Made> made) {
        TreeMap<Integer, ShardedState.Part> byNumber = new TreeMap<>();
        made.forEach(each ->
                each.part(cut).ifPresent(part -> byNumber.merge(each.number(), part, ShardedState.Part::withCopy)));
        if (byNumber.size() < cut.size()) {
            return Optional.empty();
        }

        List<ExecutorPlace> readers = ExecutorPlace.all();
        int copies = ExchangeMemory.copies(readers.size());
        return Optional.of(byNumber.values().stream()
                .map(part -> part.keptBy(readers, copies))
                .toList());
    }

    /** Makes parts in a process. Serialised to executors. */
    interface Maker extends Serializable {
        /**
         * Hands parts to {@code sink}.
         *
         * @param parts by their numbers
         * @throws UnreachableStateException if what they are made of is lost
         */
        void make(ProcessReplica executor, SortedMap<Integer, OptimizerPart> parts, OptimizerPart.Sink sink)
                throws IOException;

        /** Whether all parts of a process are made together, or none of them. */
        default boolean makesAllOrNone() {
            return false;
        }
    }

    /** By what a run begins with or goes on from. */
    record ByRecipe(StateOrigin.Recipe recipe) implements Maker {
        private static final long serialVersionUID = 1L;

        @Override
        public void make(ProcessReplica executor, SortedMap<Integer, OptimizerPart> parts, OptimizerPart.Sink sink)
                throws IOException {
            recipe.makeParts(
                    List.copyOf(parts.values()),
                    executor.model(),
                    executor.home(),
                    files -> files.open(executor.configuration()),
                    sink);
        }

        @Override
        public boolean makesAllOrNone() {
            return true;
        }
    }

    /** From wherever they are. */
    record Copied(ShardedState from) implements Maker {
        private static final long serialVersionUID = 1L;

        @Override
        public void make(ProcessReplica executor, SortedMap<Integer, OptimizerPart> parts, OptimizerPart.Sink sink)
                throws IOException {
            for (Map.Entry<Integer, OptimizerPart> part : parts.entrySet()) {
                sink.parameters(part.getValue(), target -> from.readParameters(part.getKey(), target));
                sink.state(part.getValue(), target -> from.readState(part.getKey(), target));
            }
        }
    }

    /** By an update of the State before. */
    record Updated(ShardedState from, Update update) implements Maker {
        private static final long serialVersionUID = 1L;

        @Override
        public void make(ProcessReplica executor, SortedMap<Integer, OptimizerPart> parts, OptimizerPart.Sink sink)
                throws IOException {
            for (Map.Entry<Integer, OptimizerPart> part : parts.entrySet()) {
                sink.parameters(
                        part.getValue(),
                        parameters -> sink.state(part.getValue(), state -> {
                            from.readParameters(part.getKey(), parameters);
                            from.readState(part.getKey(), state);
                            move(part.getValue(), parameters, state, executor.home());
                        }));
            }
        }

        private void move(OptimizerPart part, FlatVector parameters, ByteBuffer state, StateHome home) {
            update.gradient().lendRange(part.from(), part.length(), gradient -> {
                try (Optimizer optimizer = home.optimizer(part, state)) {
                    optimizer.step(
                            parameters,
                            gradient,
                            update.scale(),
                            update.learningRate(),
                            from.position().optimizerSteps() + 1);
                }
            });
        }
    }

    /** Runs in a task, which makes some of the parts. */
    private record MakeParts(
            RunHandle run, List<OptimizerPart> cut, List<List<Integer>> tasks, Maker maker, ExecutorBlocks blocks)
            implements FlatMapFunction<Integer, Made> {
        @Override
        public Iterator<Made> call(Integer task) throws IOException {
            ProcessReplica executor = ProcessReplicas.of(run);
            List<Integer> parts = tasks.get(task);
            if (maker.makesAllOrNone()) {
                return made(executor, parts).iterator();
            }

            List<Made> made = new ArrayList<>();
            for (Integer part : parts) {
                made.addAll(made(executor, List.of(part)));
            }

            return made.iterator();
        }

        private List<Made> made(ProcessReplica executor, List<Integer> numbers) throws IOException {
            PartBlocks left = new PartBlocks(blocks, run.pagesToFile());
            SortedMap<Integer, OptimizerPart> parts = new TreeMap<>();
            numbers.forEach(number -> parts.put(number, cut.get(number)));
            try {
                maker.make(executor, parts, left);
                return numbers.stream()
                        .map(number -> Made.of(number, left.filled(cut.get(number))))
                        .toList();
            } catch (UnreachableStateException | LostBlockException e) {
                return numbers.stream().map(Made::lost).toList();
            }
        }
    }

    /**
     * The report of a task about a part.
     *
     * @param number of the part
     * @param parameters null where something that the part is made of is lost
     * @param optimizer null where something that the part is made of is lost
     */
    public record Made(
            int number, ExecutorBlocks.@Nullable Handle parameters, ExecutorBlocks.@Nullable Handle optimizer)
            implements Serializable {
        static Made of(int number, ShardedState.Part part) {
            return new Made(number, part.parameters(), part.optimizer());
        }

        static Made lost(int number) {
            return new Made(number, null, null);
        }

        Optional<ShardedState.Part> part(List<OptimizerPart> cut) {
            return parameters == null || optimizer == null
                    ? Optional.empty()
                    : Optional.of(new ShardedState.Part(cut.get(number), parameters, optimizer));
        }
    }
}
