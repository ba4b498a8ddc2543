package org.sparkqlora.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import org.junit.jupiter.api.Test;

class VectorPoolTest {
    private final VectorPool pool = new VectorPool(3);

    @Test
    void aVectorIsZerosHoweverItsMemoryWasUsed() {
        FlatVector first = pool.zeros();
        first.set(1, 5);
        first.close();

        FlatVector second = pool.zeros();

        assertThat(second.length()).isEqualTo(3);
        assertThat(second.sumOfSquares()).isZero();
    }

    @Test
    void aVectorThatWasClosedTwiceIsHandedOutOnce() {
        FlatVector first = pool.zeros();
        first.close();
        first.close();

        FlatVector one = pool.zeros();
        FlatVector other = pool.zeros();
        one.set(0, 1);

        assertThat(other.get(0)).isZero();
    }

    @Test
    void aVectorCannotBeUsedOnceItsMemoryMayBeAnothers() {
        FlatVector vector = pool.zeros();
        vector.close();

        assertThatIllegalStateException().isThrownBy(() -> vector.get(0));
        assertThatIllegalStateException().isThrownBy(() -> vector.addAll(pool.zeros()));
    }

    @Test
    void whatArrivesElsewhereBelongsToNoPool() throws IOException, ClassNotFoundException {
        FlatVector vector = pool.zeros();
        vector.set(2, 4);

        FlatVector arrived = sent(vector);
        arrived.close();

        assertThat(arrived.get(2)).isEqualTo(4);
    }

    private static FlatVector sent(FlatVector vector) throws IOException, ClassNotFoundException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(vector);
        }

        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            return (FlatVector) in.readObject();
        }
    }
}
