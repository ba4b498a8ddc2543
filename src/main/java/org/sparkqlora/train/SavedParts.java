package org.sparkqlora.train;

import java.io.DataInput;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.optim.OptimizerPart;
import org.sparkqlora.tensor.FlatVector;

/** Parts of the State that {@link TrainState#write} wrote, read in one pass over its bytes, of which a piece at a time is in memory. */
final class SavedParts {
    private final DataInput in;
    private final byte[] piece = new byte[1 << 16];
    private long at; // of the parameters, or then of the optimiser's state

    private SavedParts(DataInput in) {
        this.in = in;
    }

    /**
     * Hands {@code parts}, in their order, to {@code sink}, and reads on to the end.
     *
     * @param bytes of the State at most
     */
    static void read(DataInput in, long bytes, List<OptimizerPart> parts, OptimizerPart.Sink sink) throws IOException {
        StateHead head = StateHead.read(in, bytes);
        OptimizerPart whole = OptimizerPart.whole(parts.get(0).spec(), head.tensors());
        SavedParts numbers = new SavedParts(in);
        for (OptimizerPart part : parts) {
            require(head, part);
            numbers.skipTo(part.from() * Float.BYTES);
            sink.parameters(part, numbers::readParameters);
        }

        numbers.skipTo(whole.to() * Float.BYTES);
        whole.requireHeader(in);
        SavedParts states = new SavedParts(in);
        for (OptimizerPart part : parts) {
            states.skipTo(part.stateStart());
            sink.state(part, states::readState);
        }

        states.skipTo(whole.stateBytes());
    }

    private static void require(StateHead head, OptimizerPart part) {
        if (!head.tensors().equals(part.tensors())) {
            throw new BadInputException(
                    "Cannot read a training state: expected %d tensors as the model has, found others"
                            .formatted(part.tensors().size()));
        }
    }

    private void readParameters(FlatVector parameters) throws IOException {
        float[] some = new float[piece.length / Float.BYTES];
        for (long from = 0; from < parameters.length(); from += some.length) {
            int count = (int) Math.min(some.length, parameters.length() - from);
            next(count * Float.BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .asFloatBuffer()
                    .get(some, 0, count);
            parameters.write(from, some, 0, count);
        }
    }

    private void readState(ByteBuffer state) throws IOException {
        for (ByteBuffer target = state.duplicate(); target.hasRemaining(); ) {
            target.put(next(Math.min(piece.length, target.remaining())));
        }
    }

    private void skipTo(long end) throws IOException {
        while (at < end) {
            next((int) Math.min(piece.length, end - at));
        }
    }

    private ByteBuffer next(int count) throws IOException {
        in.readFully(piece, 0, count);
        at += count;
        return ByteBuffer.wrap(piece, 0, count);
    }
}
