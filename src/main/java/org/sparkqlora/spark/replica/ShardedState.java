package org.sparkqlora.spark.replica;

import java.io.Serializable;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.sparkqlora.optim.OptimizerPart;
import org.sparkqlora.spark.blocks.BlockMemory;
import org.sparkqlora.spark.blocks.ExecutorBlocks;
import org.sparkqlora.spark.blocks.ExecutorPlace;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.Position;
import org.sparkqlora.train.StateHead;

/**
 * A State in parts, each of parameters and their optimiser state, that different executors hold: ZeRO stage 1 (arXiv 1910.02054).
 *
 * @param position of the State
 * @param blocks among which the parts are
 * @param parts in their order, at least one
 */
record ShardedState(Position position, ExecutorBlocks blocks, List<Part> parts) implements Serializable {
    private static final long serialVersionUID = 1L;

    ShardedState {
        parts = List.copyOf(parts);
    }

    long version() {
        return position.version();
    }

    /** By which replicas come to this State. */
    HeldParameters parameters() {
        return new HeldParameters(
                position,
                parts.get(0).range().spec(),
                blocks,
                parts.stream().map(Part::parameters).toList(),
                parts.stream().map(part -> part.range().from()).toList());
    }

    /** This State where an update has changed no more than the position. */
    ShardedState at(Position other) {
        return new ShardedState(other, blocks, parts);
    }

    /** Driver only: the State as a checkpoint has it; what is in no part is left in this process. */
    StateBlocks saved(long seed) {
        OptimizerPart range = parts.get(0).range();
        Stream<ExecutorBlocks.Handle> parameters = Stream.concat(
                Stream.of(left("head", new StateHead(position, seed, range.tensors()).toBytes())),
                parts.stream().map(Part::parameters));
        Stream<ExecutorBlocks.Handle> optimizer = Stream.concat(
                Stream.of(left("optimizer_header", range.savedHeader())),
                parts.stream().map(Part::optimizer));
        return new StateBlocks(
                version(), blocks, Stream.concat(parameters, optimizer).toList());
    }

    private ExecutorBlocks.Handle left(String name, byte[] bytes) {
        BlockMemory memory = new BlockMemory(bytes.length);
        memory.bytes().put(bytes);
        return blocks.put(String.format(Locale.ROOT, "%s_%d", name, version()), memory);
    }

    /** Runs in a task: sets {@code target} to the parameters of that part. An {@link ExecutorBlocks.LostBlockException} if they are lost. */
    void readParameters(int number, FlatVector target) {
        blocks.read(parts.get(number).parameters(), bytes -> GradientDtype.FP32.write(bytes, target, 0));
    }

    /** As {@link #readParameters}, the optimiser state. */
    void readState(int number, ByteBuffer target) {
        blocks.read(parts.get(number).optimizer(), bytes -> target.duplicate().put(bytes));
    }

    /**
     * A part.
     *
     * @param range of the flat vector
     * @param parameters in float32, little endian
     * @param optimizer their optimiser state
     */
    record Part(OptimizerPart range, ExecutorBlocks.Handle parameters, ExecutorBlocks.Handle optimizer)
            implements Serializable {
        private static final long serialVersionUID = 1L;

        /** This part, of whose parameters some who read them keep copies, too. */
        Part keptBy(List<ExecutorPlace> readers, int copies) {
            return new Part(range, parameters.keptBy(readers, copies), optimizer);
        }

        /** This part, of which {@code other} is made by someone else, to the same bytes. */
        Part withCopy(Part other) {
            return new Part(range, parameters.withCopy(other.parameters), optimizer.withCopy(other.optimizer));
        }
    }
}
