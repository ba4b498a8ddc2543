package org.sparkqlora.spark.replica;

import java.io.DataOutput;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.spark.blocks.BlockMemory;
import org.sparkqlora.spark.blocks.ExecutorBlocks;
import org.sparkqlora.spark.blocks.ExecutorPlace;
import org.sparkqlora.spark.blocks.PlacedTasks;
import org.sparkqlora.spark.cluster.CancelledJob;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.GradientModel;
import org.sparkqlora.train.Replica.StaleVersionException;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.StateLog;
import org.sparkqlora.train.TrainState;
import org.sparkqlora.train.UnreachableStateException;

/**
 * A State in pieces that executors hold: each writes some of them, side by side.
 *
 * @param version of the State
 * @param blocks among which the pieces are
 * @param pieces in the order of the State's bytes
 */
public record StateBlocks(long version, ExecutorBlocks blocks, List<ExecutorBlocks.Handle> pieces) implements Snapshot {
    /** Tasks a State is written by; more would open more files than they gain. */
    static final int MOST_WRITERS = 8;

    private static final int WRITTEN_AT_ONCE = 1 << 16;

    /** In which another task may be asked where one ran that has no State. */
    private static final int ATTEMPTS = 3;

    public StateBlocks {
        pieces = List.copyOf(pieces);
    }

    /**
     * Driver only: the State of {@code version}; empty where no executor can come to it.
     *
     * @param holders executors that should have a State from which {@code log} leads there
     */
    static Optional<StateBlocks> take(
            JavaSparkContext context, RunHandle run, long version, StateLog log, List<ExecutorPlace> holders) {
        ExecutorBlocks blocks = ExecutorBlocks.open(context);
        int writers = Math.max(1, Math.min(MOST_WRITERS, holders.size()));
        try {
            Optional<StateBlocks> taken =
                    written(context, new WritePieces(run, version, log, blocks, writers), holders);
            if (taken.isEmpty()) {
                blocks.close();
            }

            return taken;
        } catch (Exception e) { // Spark throws some that no signature declares
            blocks.close();
            CancelledJob.rethrow(e);
            throw e;
        }
    }

    private static Optional<StateBlocks> written(
            JavaSparkContext context, WritePieces function, List<ExecutorPlace> holders) {
        Written[] written = new Written[function.writers()];
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            List<Integer> missing = IntStream.range(0, written.length)
                    .filter(writer -> written[writer] == null)
                    .boxed()
                    .toList();
            int turn = attempt;
            for (Written part : PlacedTasks.withModel(context, missing, writer -> holder(holders, writer + turn))
                    .map(function)
                    .collect()) {
                if (part.isWhole()) {
                    written[part.writer()] = part;
                }
            }

            if (Arrays.stream(written).allMatch(part -> part != null)) {
                return Optional.of(new StateBlocks(function.version(), function.blocks(), inOrder(written)));
            }
        }

        return Optional.empty();
    }

    private static List<ExecutorPlace> holder(List<ExecutorPlace> holders, int turn) {
        return holders.isEmpty() ? List.of() : List.of(holders.get(turn % holders.size()));
    }

    private static List<ExecutorBlocks.Handle> inOrder(Written[] written) {
        return handles(Arrays.stream(written).flatMap(part -> part.pieces().stream()));
    }

    /** Of pieces in any order. */
    static List<ExecutorBlocks.Handle> handles(Stream<Piece> pieces) {
        return pieces.sorted(Comparator.comparingInt(Piece::number))
                .map(Piece::handle)
                .toList();
    }

    @Override
    public TrainState read(GradientModel model, OptimizerSpec optimizer, StateHome home) {
        try {
            return StatePieces.read(fetched(), optimizer, home);
        } catch (ExecutorBlocks.LostBlockException e) {
            throw lost(e);
        }
    }

    /** The State's parameters alone, kept in {@code home}; the caller closes them. Pieces behind them are not fetched. */
    FlatVector parameters(OptimizerSpec optimizer, StateHome home) {
        try {
            return StatePieces.readParameters(fetched(), optimizer, home);
        } catch (ExecutorBlocks.LostBlockException e) {
            throw lost(e);
        }
    }

    /** The pieces, each fetched when it is asked for. */
    private Stream<byte[]> fetched() {
        return pieces.stream().map(blocks::fetch);
    }

    /** Writes the State as {@link TrainState#write} does, a piece in memory at a time. */
    void write(DataOutput out) throws IOException {
        try {
            write(blocks, pieces, out);
        } catch (ExecutorBlocks.LostBlockException e) {
            throw lost(e);
        }
    }

    /** Writes {@code pieces}, one in memory at a time. */
    static void write(ExecutorBlocks blocks, List<ExecutorBlocks.Handle> pieces, DataOutput out) throws IOException {
        try {
            for (ExecutorBlocks.Handle piece : pieces) {
                blocks.read(piece, bytes -> write(bytes, out));
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private static void write(ByteBuffer bytes, DataOutput out) {
        byte[] some = new byte[Math.min(WRITTEN_AT_ONCE, bytes.remaining())];
        try {
            while (bytes.hasRemaining()) {
                int count = Math.min(some.length, bytes.remaining());
                bytes.get(some, 0, count);
                out.write(some, 0, count);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private UnreachableStateException lost(ExecutorBlocks.LostBlockException e) {
        return new UnreachableStateException("the State of version %d is lost".formatted(version), e);
    }

    @Override
    public void close() {
        blocks.close();
    }

    /** Leaves a part of a State's pieces. Runs in a task. */
    private record WritePieces(RunHandle run, long version, StateLog log, ExecutorBlocks blocks, int writers)
            implements Function<Integer, Written> {
        @Override
        public Written call(Integer writer) {
            try {
                return ProcessReplicas.of(run).replica().read(version, log, state -> write(state, writer));
            } catch (UnreachableStateException | StaleVersionException e) {
                return new Written(writer, ExecutorPlace.here(), false, List.of());
            }
        }

        private Written write(TrainState state, int writer) {
            return Written.of(writer, Piece.write(state, blocks, writer, writers));
        }
    }

    /** A piece, by its place in the State's bytes. */
    record Piece(int number, ExecutorBlocks.Handle handle) implements Serializable {
        /** Leaves the {@code writer}'th of {@code writers} parts of the pieces of {@code state} in this process. */
        static List<Piece> write(TrainState state, ExecutorBlocks blocks, int writer, int writers) {
            long count = StatePieces.count(state);
            return IntStream.range((int) (count * writer / writers), (int) (count * (writer + 1) / writers))
                    .mapToObj(number -> write(state, blocks, number))
                    .toList();
        }

        private static Piece write(TrainState state, ExecutorBlocks blocks, int number) {
            BlockMemory memory = new BlockMemory(StatePieces.length(state, number));
            StatePieces.read(state, number, memory.bytes());
            return new Piece(
                    number, blocks.put(String.format(Locale.ROOT, "state_%d_%d", state.version(), number), memory));
        }
    }

    /**
     * The report of a task that wrote.
     *
     * @param writer its number
     * @param place where it ran
     * @param isWhole whether its process could come to the version
     * @param pieces that it left
     */
    public record Written(int writer, ExecutorPlace place, boolean isWhole, List<Piece> pieces)
            implements Serializable {
        public Written {
            pieces = List.copyOf(pieces);
        }

        static Written of(int writer, List<Piece> pieces) {
            return new Written(writer, ExecutorPlace.here(), true, pieces);
        }
    }
}
