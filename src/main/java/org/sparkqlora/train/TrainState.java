package org.sparkqlora.train;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.function.Consumer;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.optim.OptimizedTensor;
import org.sparkqlora.optim.Optimizer;
import org.sparkqlora.optim.OptimizerPart;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.tensor.FlatVector;

/**
 * State(v): all that training changes. {@code State(v + 1) = State(v).apply(Update(v))} gives the same bits wherever it
 * runs.
 *
 * <p>The data position needs no field: the batch of step v is a function of the plan and v. Not safe for concurrent use;
 * {@link Replica} guards it.
 */
public final class TrainState implements SavedState, AutoCloseable {
    private static final int PIECE = 1 << 14;

    /** Of a State that has been changed in part. */
    private static final Position BETWEEN = new Position(-1, null);

    private final FlatVector parameters;
    private final Optimizer optimizer;
    private final List<OptimizedTensor> tensors;
    private final long seed;
    private Position position;

    private TrainState(
            FlatVector parameters, Optimizer optimizer, List<OptimizedTensor> tensors, long seed, Position position) {
        this.parameters = parameters;
        this.optimizer = optimizer;
        this.tensors = tensors;
        this.seed = seed;
        this.position = position;
    }

    /** State(0) at {@code parameters}, which it owns from now on. */
    public static TrainState fresh(
            FlatVector parameters, ParameterIndex index, OptimizerSpec spec, long seed, StateHome home) {
        if (parameters.length() != index.size()) {
            throw new BadInputException("Cannot start from %d parameters: expected %d as the model has"
                    .formatted(parameters.length(), index.size()));
        }

        List<OptimizedTensor> tensors = TensorGroups.of(index, spec);
        return new TrainState(parameters, home.optimizer(spec, tensors), tensors, seed, new Position(0, null));
    }

    /**
     * A State at {@code position} whose optimiser state others have: it moves by {@link #replaceParameters}.
     *
     * @param parameters which it owns from now on
     */
    public static TrainState withoutOptimizer(
            FlatVector parameters, ParameterIndex index, Position position, StateHome home) {
        TrainState state = fresh(parameters, index, OptimizerSpec.WITHOUT_STATE, 0, home);
        state.position = position;
        return state;
    }

    /** This State with loss scaling if a model in {@code precision} needs it. */
    public TrainState in(Precision precision) {
        position = new Position(position.version(), Position.first(precision).scale());
        return this;
    }

    /** The State that {@link #write} wrote. The optimiser must be of the same kind. */
    public static TrainState read(DataInput in, OptimizerSpec spec, StateHome home) throws IOException {
        return read(in, Long.MAX_VALUE, spec, home);
    }

    /**
     * As {@link #read(DataInput, OptimizerSpec, StateHome)}, where a number of those in {@code in} may be any: nobody has compared them yet.
     *
     * @param bytes how many there are at most, which bounds the memory that is taken for them
     */
    static TrainState read(DataInput in, long bytes, OptimizerSpec spec, StateHome home) throws IOException {
        StateHead head = StateHead.read(in, bytes);
        FlatVector parameters = readParameters(in, head.tensors(), spec, home);
        TrainState state = new TrainState(
                parameters, home.optimizer(spec, head.tensors()), head.tensors(), head.seed(), head.position());
        try {
            state.optimizer.load(in);
            return state;
        } catch (IOException | RuntimeException e) {
            state.close();
            throw e;
        }
    }

    /** The parameters of the State that {@link #write} wrote, and no byte behind them; the caller closes them. */
    public static FlatVector readParameters(DataInput in, OptimizerSpec spec, StateHome home) throws IOException {
        return readParameters(in, Long.MAX_VALUE, spec, home);
    }

    /** As {@link #readParameters(DataInput, OptimizerSpec, StateHome)}, see {@link #read(DataInput, long, OptimizerSpec, StateHome)}. */
    static FlatVector readParameters(DataInput in, long bytes, OptimizerSpec spec, StateHome home) throws IOException {
        return readParameters(in, StateHead.read(in, bytes).tensors(), spec, home);
    }

    private static FlatVector readParameters(
            DataInput in, List<OptimizedTensor> tensors, OptimizerSpec spec, StateHome home) throws IOException {
        FlatVector parameters = home.zeros(
                spec, tensors.stream().mapToLong(OptimizedTensor::size).sum());
        try {
            return readVector(in, parameters);
        } catch (IOException | RuntimeException e) {
            parameters.close();
            throw e;
        }
    }

    @Override
    public void write(DataOutput out) throws IOException {
        head().write(out);
        writeVector(parameters, out);
        optimizer.save(out);
    }

    /** The count of bytes that {@link #write} writes. */
    public long savedBytes() {
        return head().toBytes().length + parameters.length() * Float.BYTES + optimizer.savedBytes();
    }

    /** Fills {@code target} with the bytes of {@link #write} from {@code from} on, so that several may write a range each. */
    public void readSaved(long from, ByteBuffer target) {
        byte[] head = head().toBytes();
        long ofOptimizer = head.length + parameters.length() * Float.BYTES;
        long at = from;
        if (at < head.length) {
            int count = (int) Math.min(head.length - at, target.remaining());
            target.put(head, (int) at, count);
            at += count;
        }

        if (at < ofOptimizer) {
            int count = (int) Math.min(ofOptimizer - at, target.remaining());
            readParameters(at - head.length, target, count);
            at += count;
        }

        if (target.hasRemaining()) {
            optimizer.readSaved(at - ofOptimizer, target);
        }
    }

    /** Hands {@code parts} to {@code sink}, in their order. */
    public void writeParts(List<OptimizerPart> parts, OptimizerPart.Sink sink) throws IOException {
        long ofState = savedBytes() - optimizer.stateBytes();
        for (OptimizerPart part : parts) {
            sink.parameters(part, target -> target.setFrom(parameters, part.from()));
            sink.state(part, target -> readSaved(ofState + part.stateStart(), target));
        }
    }

    private StateHead head() {
        return new StateHead(position, seed, tensors);
    }

    /** Moves on by one version. Where a gradient's scale was too large, nothing else changes but that scale. */
    public void apply(Update update) {
        Position next = position.after(update);
        if (position.takes(update)) {
            optimizer.step(
                    parameters,
                    update.gradient().vector(),
                    update.scale(),
                    update.learningRate(),
                    position.optimizerSteps() + 1);
        }

        position = next;
    }

    /** Comes to {@code next} by the parameters that {@code change} sets. Where that throws, the State is at version -1. */
    public void replaceParameters(Position next, Consumer<FlatVector> change) {
        position = BETWEEN;
        change.accept(parameters);
        position = next;
    }

    /** The version and the scale of the loss. */
    public Position position() {
        return position;
    }

    /** Moves on by one version and changes nothing else. */
    void passOver() {
        position = position.plus(1);
    }

    /** An independent copy of this State. */
    TrainState copy(StateHome home) {
        FlatVector values = home.zeros(optimizer.spec(), parameters.length());
        values.setAll(parameters);
        return new TrainState(values, optimizer.copy(), tensors, seed, position);
    }

    /** The count of numbers that {@link #readNumbers} reads. */
    long numberCount() {
        return StateMean.length(parameters.length(), optimizer.spec()) - 1;
    }

    /** Copies parameters and optimiser state, as float32, to the start of {@code target}. */
    void readNumbers(FlatVector target) {
        target.setRange(0, parameters);
        optimizer.readStates(target, parameters.length());
    }

    /**
     * Becomes the mean, {@code steps} versions on.
     *
     * @return how far the shards were apart, see {@link StateMean#divergence}
     */
    public double become(StateMean mean, int steps) {
        double divergence = mean.divergence(parameters);
        FlatVector numbers = mean.sum();
        numbers.scale(1f / mean.shards());
        parameters.setFrom(numbers, 0);
        optimizer.writeStates(numbers, parameters.length());
        position = position.plus(steps);
        return divergence;
    }

    /** The trained values; read only, and only until the next {@link #apply}. */
    public FlatVector parameters() {
        return parameters;
    }

    /** Zeros for a gradient at these parameters, in {@code home}; the caller closes it. */
    public FlatVector freshGradient(StateHome home) {
        return home.zeros(optimizer.spec(), parameters.length());
    }

    /** The count of updates applied, which is also the number of the next step. */
    @Override
    public long version() {
        return position.version();
    }

    public long seed() {
        return seed;
    }

    /** The most bytes of optimiser state and of its buffers that updates have held in memory at once. */
    public long optimizerResidentBytes() {
        return optimizer.residentBytes();
    }

    /** Deletes scratch files. */
    @Override
    public void close() {
        optimizer.close();
        parameters.close();
    }

    private static void writeVector(FlatVector vector, DataOutput out) throws IOException {
        float[] piece = new float[PIECE];
        byte[] bytes = new byte[PIECE * Float.BYTES];
        for (long from = 0; from < vector.length(); from += PIECE) {
            int count = (int) Math.min(PIECE, vector.length() - from);
            vector.read(from, piece, 0, count);
            ByteBuffer.wrap(bytes)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .asFloatBuffer()
                    .put(piece, 0, count);
            out.write(bytes, 0, count * Float.BYTES);
        }
    }

    /** Bytes of the parameters from {@code from} on, which need not be the first of a number. */
    private void readParameters(long from, ByteBuffer target, int bytes) {
        float[] piece = new float[PIECE];
        ByteBuffer bytesOfPiece = ByteBuffer.allocate(PIECE * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (long at = from; at < from + bytes; ) {
            long first = at / Float.BYTES;
            int numbers = (int) Math.min(PIECE, parameters.length() - first);
            parameters.read(first, piece, 0, numbers);
            bytesOfPiece.clear().asFloatBuffer().put(piece, 0, numbers);
            int skipped = (int) (at - first * Float.BYTES);
            int count = (int) Math.min(numbers * Float.BYTES - skipped, from + bytes - at);
            target.put(bytesOfPiece.array(), skipped, count);
            at += count;
        }
    }

    private static FlatVector readVector(DataInput in, FlatVector vector) throws IOException {
        long length = vector.length();
        float[] piece = new float[PIECE];
        byte[] bytes = new byte[PIECE * Float.BYTES];
        for (long from = 0; from < length; from += PIECE) {
            int count = (int) Math.min(PIECE, length - from);
            in.readFully(bytes, 0, count * Float.BYTES);
            ByteBuffer.wrap(bytes)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .asFloatBuffer()
                    .get(piece, 0, count);
            vector.write(from, piece, 0, count);
        }

        return vector;
    }
}
