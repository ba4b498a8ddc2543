package org.sparkqlora.train;

import java.io.ByteArrayOutputStream;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.sparkqlora.optim.OptimizedTensor;
import org.sparkqlora.optim.ParameterGroup;

/**
 * All of a saved State before its parameters.
 *
 * @param position of the State
 * @param seed of the run
 * @param tensors that are trained, in the order of the flat vector
 */
public record StateHead(Position position, long seed, List<OptimizedTensor> tensors) {
    private static final int MAGIC = 0x53514C53; // "SQLS"
    private static final int FORMAT = 2;
    private static final int FORMAT_WITH_LOSS_SCALE = 3;
    private static final int FORMAT_WITHOUT_GROUPS = 1;

    public StateHead {
        tensors = List.copyOf(tensors);
    }

    /** As {@link TrainState#write} begins. */
    public byte[] toBytes() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            write(new DataOutputStream(bytes));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }

        return bytes.toByteArray();
    }

    void write(DataOutput out) throws IOException {
        LossScale lossScale = position.scale();
        out.writeInt(MAGIC);
        out.writeInt(lossScale == null ? FORMAT : FORMAT_WITH_LOSS_SCALE);
        out.writeLong(position.version());
        out.writeLong(seed);
        if (lossScale != null) {
            lossScale.write(out);
        }

        out.writeInt(tensors.size());
        for (OptimizedTensor tensor : tensors) {
            out.writeLong(tensor.size());
            out.writeDouble(tensor.group().rateFactor());
            out.writeDouble(tensor.group().decayFactor());
        }
    }

    /**
     * The head of a State that {@link TrainState#write} wrote.
     *
     * @param bytes how many {@code in} has at most, which bounds the memory that is taken for them
     */
    static StateHead read(DataInput in, long bytes) throws IOException {
        Start start = Start.read(in);
        return new StateHead(start.position(), start.seed(), start.readTensors(in, bytes));
    }

    /** The position of such a State, and no byte behind it. */
    static Position readPosition(DataInput in) throws IOException {
        return Start.read(in).position();
    }

    private static void requireEqual(String what, int expected, int found) throws IOException {
        if (expected != found) {
            throw new IOException(
                    "Cannot read a training state: expected %s %d, found %d".formatted(what, expected, found));
        }
    }

    private static void requireAtMost(String what, long most, long found) throws IOException {
        if (found < 0 || found > most) {
            throw new IOException(
                    "Cannot read a training state: expected at most %d %s, found %d".formatted(most, what, found));
        }
    }

    /** The part before the tensors. */
    private record Start(int format, long seed, Position position) {
        private static Start read(DataInput in) throws IOException {
            requireEqual("the mark of a training state", MAGIC, in.readInt());
            int format = in.readInt();
            if (format != FORMAT_WITHOUT_GROUPS && format != FORMAT_WITH_LOSS_SCALE) {
                requireEqual("format", FORMAT, format);
            }

            long version = in.readLong();
            long seed = in.readLong();
            LossScale lossScale = format == FORMAT_WITH_LOSS_SCALE ? LossScale.read(in) : null;
            return new Start(format, seed, new Position(version, lossScale));
        }

        private List<OptimizedTensor> readTensors(DataInput in, long bytes) throws IOException {
            int count = in.readInt();
            requireAtMost("tensors", bytes / Long.BYTES, count);
            OptimizedTensor[] tensors = new OptimizedTensor[count];
            long elements = 0;
            for (int i = 0; i < tensors.length; i++) {
                long size = in.readLong();
                requireAtMost("parameters", bytes / Float.BYTES - elements, size);
                elements += size;
                tensors[i] = new OptimizedTensor(
                        size,
                        format == FORMAT_WITHOUT_GROUPS
                                ? ParameterGroup.PLAIN
                                : new ParameterGroup(in.readDouble(), in.readDouble()));
            }

            return List.of(tensors);
        }
    }
}
