package org.sparkqlora.spark.replica;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.optim.OptimizerKind;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.StateHome;
import org.sparkqlora.train.TrainState;

class StatePiecesTest {
    private static final int PIECE = 1 << 24;

    /** Sizes around two pieces, of which a header takes some bytes. */
    @ParameterizedTest
    @ValueSource(ints = {100, 2 * PIECE / Float.BYTES - 100, 2 * PIECE / Float.BYTES + 1000})
    void piecesAreTheStateTogether(int length) throws IOException {
        ParameterIndex.Builder index = ParameterIndex.builder();
        index.add("weight", length);
        try (Workers workers = new Workers(1);
                TrainState state = InferenceReplicas.still(FlatVector.zeros(length), index.build(), workers)) {
            ByteArrayOutputStream whole = new ByteArrayOutputStream();
            state.write(new DataOutputStream(whole));
            ByteArrayOutputStream joined = new ByteArrayOutputStream();
            for (int number = 0; number < StatePieces.count(state); number++) {
                joined.write(piece(state, number));
            }

            assertThat(joined.toByteArray()).isEqualTo(whole.toByteArray());
            assertThat(StatePieces.count(state)).isEqualTo((whole.size() + PIECE - 1) / PIECE);
        }
    }

    /** Of nine pieces three hold parameters; those of a State on its way are one in memory at a time. */
    @Test
    void parametersAskForNoPieceBehindThem() {
        int length = 3 * (PIECE / Float.BYTES) - 100;
        ParameterIndex.Builder index = ParameterIndex.builder();
        index.add("weight", length);
        OptimizerSpec adamw = new OptimizerSpec(OptimizerKind.ADAMW, 0.9, 0.999, 1e-8, 0);
        try (Workers workers = new Workers(1);
                TrainState state = TrainState.fresh(
                        FlatVector.zeros(length), index.build(), adamw, 1, StateHome.inMemory(workers))) {
            state.parameters().set(length - 1, 7);
            List<Integer> asked = new ArrayList<>();
            Stream<byte[]> pieces = IntStream.range(0, StatePieces.count(state))
                    .peek(asked::add)
                    .mapToObj(number -> piece(state, number));
            FlatVector parameters = StatePieces.readParameters(pieces, adamw, StateHome.inMemory(workers));

            assertThat(StatePieces.count(state)).isEqualTo(9);
            assertThat(asked).containsExactly(0, 1, 2);
            assertThat(parameters.length()).isEqualTo(length);
            assertThat(parameters.get(length - 1)).isEqualTo(7);
        }
    }

    private static byte[] piece(TrainState state, int number) {
        byte[] bytes = new byte[StatePieces.length(state, number)];
        StatePieces.read(state, number, ByteBuffer.wrap(bytes));
        return bytes;
    }
}
