package org.sparkqlora.spark.replica;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.sparkqlora.checkpoint.CheckpointDraft;
import org.sparkqlora.spark.blocks.ExecutorBlocks;
import org.sparkqlora.spark.blocks.PlacedTasks;
import org.sparkqlora.spark.replica.StateFiles.StateFile;
import org.sparkqlora.train.SavedState.StateParts;

/**
 * A job that writes a State as parts of a checkpoint, each by a task where its pieces are held. Driver only.
 *
 * @param blocks the State
 */
record StateWriting(RunHandle run, CheckpointDraft draft, StateBlocks blocks) {
    /** What became of the parts. */
    List<StateFile> run(JavaSparkContext context) {
        List<List<ExecutorBlocks.Handle>> parts = partsByPlace();
        List<Integer> numbers = IntStream.range(0, parts.size()).boxed().toList();
        return StateFiles.toldBy(() -> PlacedTasks.of(
                        context, numbers, number -> parts.get(number).get(0).places())
                .map(new WritePart(run, draft, blocks.blocks(), parts))
                .collect());
    }

    /** The State in files, if all parts are. */
    Optional<StateParts> parts(List<StateFile> told) {
        return StateFiles.parts(draft, told, partsByPlace().size());
    }

    /** Neighbouring pieces that the same processes hold, in the order of the State's bytes. */
    private List<List<ExecutorBlocks.Handle>> partsByPlace() {
        List<List<ExecutorBlocks.Handle>> parts = new ArrayList<>();
        for (ExecutorBlocks.Handle piece : blocks.pieces()) {
            if (parts.isEmpty() || !parts.get(parts.size() - 1).get(0).places().equals(piece.places())) {
                parts.add(new ArrayList<>());
            }

            parts.get(parts.size() - 1).add(piece);
        }

        return parts;
    }

    /** Writes one part. Runs in a task. */
    private record WritePart(
            RunHandle run, CheckpointDraft draft, ExecutorBlocks blocks, List<List<ExecutorBlocks.Handle>> parts)
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
                                out -> StateBlocks.write(blocks, parts.get(number), out)),
                        "");
            } catch (IOException | ExecutorBlocks.LostBlockException e) {
                return new StateFile(number, null, e.toString());
            }
        }
    }
}
