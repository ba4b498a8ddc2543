package org.sparkqlora.spark.replica;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.sparkqlora.optim.OptimizerPart;
import org.sparkqlora.spark.blocks.BlockMemory;
import org.sparkqlora.spark.blocks.ExecutorBlocks;
import org.sparkqlora.tensor.FlatVector;

/** Leaves parts of a State as blocks of this process, each as soon as it is filled. */
final class PartBlocks implements OptimizerPart.Sink {
    private final ExecutorBlocks blocks;
    private final boolean onDisk;
    private final Map<Long, ExecutorBlocks.Handle> parameters = new HashMap<>();
    private final Map<Long, ExecutorBlocks.Handle> states = new HashMap<>();

    /** @param onDisk whether they lie on a disk */
    PartBlocks(ExecutorBlocks blocks, boolean onDisk) {
        this.blocks = blocks;
        this.onDisk = onDisk;
    }

    @Override
    public void parameters(OptimizerPart part, OptimizerPart.Filler<FlatVector> filler) throws IOException {
        int bytes = Math.toIntExact(part.length() * Float.BYTES);
        parameters.put(
                part.from(),
                left("parameters", part, bytes, memory -> filler.fill(FlatVector.in(memory.asFloatBuffer()))));
    }

    @Override
    public void state(OptimizerPart part, OptimizerPart.Filler<ByteBuffer> filler) throws IOException {
        states.put(part.from(), left("optimizer", part, Math.toIntExact(part.stateBytes()), filler));
    }

    private ExecutorBlocks.Handle left(
            String what, OptimizerPart part, int bytes, OptimizerPart.Filler<ByteBuffer> filler) throws IOException {
        try (BlockMemory memory = new BlockMemory(bytes)) {
            filler.fill(memory.bytes());
            String name = String.format(Locale.ROOT, "%s_%d", what, part.from());
            return onDisk ? blocks.putOnDisk(name, memory) : blocks.put(name, memory);
        }
    }

    /** One that was filled. */
    ShardedState.Part filled(OptimizerPart part) {
        return new ShardedState.Part(
                part,
                Objects.requireNonNull(parameters.get(part.from())),
                Objects.requireNonNull(states.get(part.from())));
    }
}
