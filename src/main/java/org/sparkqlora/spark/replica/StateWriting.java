package org.sparkqlora.spark.replica;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.sparkqlora.checkpoint.CheckpointDraft;
import org.sparkqlora.spark.blocks.ExecutorBlocks;
import org.sparkqlora.spark.blocks.ExecutorPlace;
import org.sparkqlora.spark.blocks.PlacedTasks;
import org.sparkqlora.spark.replica.StateFiles.StateFile;
import org.sparkqlora.train.SavedState.StateParts;

/**
 * A job that writes a State as parts of a checkpoint, each by a task where its pieces are held. Driver only.
 *
 * @param blocks the State
 */
record StateWriting(RunHandle run, CheckpointDraft draft, StateBlocks blocks) {
    /** The State in files; empty, with a warning, where executors could not write it all. */
    Optional<StateParts> write(JavaSparkContext context) {
        List<StateFile> told = run(context);
        Optional<StateParts> parts =
                StateFiles.parts(draft, told, partsByPlace().size());
        if (parts.isEmpty()) {
            StateFiles.warnOfUnwritten(blocks.version(), told);
        }

        return parts;
    }

    /** What became of the parts. */
    private List<StateFile> run(JavaSparkContext context) {
        List<Part> parts = partsByPlace();
        List<Integer> numbers = IntStream.range(0, parts.size()).boxed().toList();
        return StateFiles.toldBy(() -> PlacedTasks.of(
                        context, numbers, number -> parts.get(number).places())
                .map(new WritePart(run, draft, blocks.blocks(), parts))
                .collect());
    }

    /** Neighbouring pieces that one process holds, in the order of the State's bytes; what the driver has goes with others. */
    private List<Part> partsByPlace() {
        List<Part> parts = new ArrayList<>();
        Part part = Part.EMPTY;
        for (ExecutorBlocks.Handle piece : blocks.pieces()) {
            Optional<Part> longer = part.with(piece);
            if (longer.isEmpty()) {
                parts.add(part);
            }

            part = longer.orElseGet(() -> Part.EMPTY.with(piece).orElseThrow());
        }

        parts.add(part);
        return parts;
    }

    /**
     * Neighbouring pieces.
     *
     * @param places that hold all of them; none where the driver does
     */
    private record Part(List<ExecutorBlocks.Handle> pieces, List<ExecutorPlace> places) implements Serializable {
        private static final long serialVersionUID = 1L;
        private static final Part EMPTY = new Part(List.of(), List.of());

        /** Empty where no process holds it, too. */
        private Optional<Part> with(ExecutorBlocks.Handle piece) {
            List<ExecutorPlace> executors = new ArrayList<>(piece.places());
            executors.remove(ExecutorPlace.here());
            List<ExecutorPlace> common = places.isEmpty() ? executors : new ArrayList<>(places);
            if (!executors.isEmpty()) {
                common.retainAll(executors);
            }

            List<ExecutorBlocks.Handle> longer = new ArrayList<>(pieces);
            longer.add(piece);
            return common.isEmpty() && !executors.isEmpty() ? Optional.empty() : Optional.of(new Part(longer, common));
        }
    }

    /** Writes one part. Runs in a task. */
    private record WritePart(RunHandle run, CheckpointDraft draft, ExecutorBlocks blocks, List<Part> parts)
            implements Function<Integer, StateFile> {
        /** One that cannot be written ends no training: the driver writes the State instead. */
        @Override
        public StateFile call(Integer number) {
            try {
                return new StateFile(
                        number,
                        draft.write(
                                run.configuration().value().value(),
                                number,
                                out -> StateBlocks.write(
                                        blocks, parts.get(number).pieces(), out)),
                        "");
            } catch (IOException | ExecutorBlocks.LostBlockException e) {
                return new StateFile(number, null, e.toString());
            }
        }
    }
}
