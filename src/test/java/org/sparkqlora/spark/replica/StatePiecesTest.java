package org.sparkqlora.spark.replica;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.tensor.FlatVector;
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
                byte[] piece = new byte[StatePieces.length(state, number)];
                StatePieces.read(state, number, ByteBuffer.wrap(piece));
                joined.write(piece);
            }

            assertThat(joined.toByteArray()).isEqualTo(whole.toByteArray());
            assertThat(StatePieces.count(state)).isEqualTo((whole.size() + PIECE - 1) / PIECE);
        }
    }
}
