package org.sparkqlora.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class FlatVectorTest {
    private static final long ACROSS_CHUNKS = (1L << 24) + 10;

    @TempDir
    Path folder;

    @Test
    void readsWhatWasWrittenAcrossAChunkBorder() {
        FlatVector vector = FlatVector.zeros(ACROSS_CHUNKS);
        float[] values = {1, 2, 3, 4, 5, 6};
        vector.write((1L << 24) - 3, values, 0, 6);
        vector.add((1L << 24) - 3, values, 0, 6);

        float[] read = new float[6];
        vector.read((1L << 24) - 3, read, 0, 6);

        assertThat(read).containsExactly(2, 4, 6, 8, 10, 12);
        assertThat(vector.get(1L << 24)).isEqualTo(8);
        assertThat(vector.sumOfSquares()).isEqualTo(4 * 91.0);
    }

    @Test
    void liesInMemoryOfItsOwner() {
        ByteBuffer memory = ByteBuffer.allocateDirect(20 * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        FlatVector vector = FlatVector.in(memory.asFloatBuffer());

        vector.write(3, new float[] {0, 1, 2, 3}, 1, 3);
        vector.add(4, new float[] {10, 20}, 0, 2);
        vector.set(19, 7);

        assertThat(vector.length()).isEqualTo(20);
        assertThat(memory.getFloat(4 * Float.BYTES)).isEqualTo(12);
        assertThat(vector.get(5)).isEqualTo(23);
        assertThat(vector.copy().sumOfSquares())
                .isEqualTo(vector.sumOfSquares())
                .isEqualTo(1 + 144 + 529 + 49);
    }

    @Test
    void copyIsIndependentOfItsOriginal() {
        FlatVector vector = FlatVector.of(1, 2, 3);
        FlatVector copy = vector.copy();
        vector.scale(2);
        copy.addAll(vector);

        assertThat(copy.get(2)).isEqualTo(9);
        assertThat(vector.get(2)).isEqualTo(6);
    }

    @Test
    void rangesGoInAndComeOut() {
        FlatVector whole = FlatVector.zeros(40_000);
        FlatVector part = FlatVector.zeros(20_000);
        for (int i = 0; i < part.length(); i++) {
            part.set(i, i + 1);
        }

        whole.setRange(19_999, part);

        assertThat(whole.get(19_998)).isZero();
        assertThat(whole.get(19_999)).isEqualTo(1);
        assertThat(whole.get(39_998)).isEqualTo(20_000);
        assertThat(whole.get(39_999)).isZero();
        FlatVector range = whole.range(39_997, 3);
        assertThat(range.length()).isEqualTo(3);
        assertThat(range.get(0)).isEqualTo(19_999);
        assertThat(range.get(2)).isZero();
        assertThatThrownBy(() -> whole.setRange(20_001, part))
                .isInstanceOf(IndexOutOfBoundsException.class)
                .hasMessageContaining("40000");
    }

    @Test
    void refusesVectorsOfOtherLength() {
        assertThatThrownBy(() -> FlatVector.zeros(3).addAll(FlatVector.zeros(4)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot combine vectors of 3 and 4 elements");
    }

    @Test
    void refusesRangesOutside() {
        assertThatThrownBy(() -> FlatVector.zeros(3).write(2, new float[2], 0, 2))
                .isInstanceOf(IndexOutOfBoundsException.class)
                .hasMessageContaining("Range [2, 2 + 2) out of bounds for length 3");
    }

    @Test
    void aVectorInAFileDoesWhatOneInMemoryDoes() throws IOException, ClassNotFoundException {
        FlatVector memory = FlatVector.zeros(50_000);
        try (FlatVector file = FlatVector.zerosInFile(folder, 50_000)) {
            SplittableRandom random = new SplittableRandom(3);
            for (int round = 0; round < 20; round++) {
                int count = random.nextInt(1, 40_000);
                long from = random.nextInt(50_000 - count);
                float[] values = floats(random, count);
                for (FlatVector vector : List.of(memory, file)) {
                    vector.write(from / 2, values, 0, count);
                    vector.add(from, values, count / 3, count - count / 3);
                    vector.set(from, 7);
                    vector.scale(0.75f);
                }
            }

            assertThat(values(file)).isEqualTo(values(memory));
            assertThat(file.get(49_999)).isEqualTo(memory.get(49_999));
            assertThat(file.sumOfSquares()).isEqualTo(memory.sumOfSquares());
            assertThat(values(throughJava(file))).isEqualTo(values(memory));
            file.clear();
            assertThat(file.sumOfSquares()).isZero();
        }
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void aFileHasNoNameWhileItIsUsedSoThatAKilledProcessLeavesNone() {
        try (FlatVector file = FlatVector.zerosInFile(folder, 1000)) {
            assertThat(folder).isEmptyDirectory();
            file.set(999, 5);
            assertThat(file.get(999)).isEqualTo(5);
        }
    }

    @Test
    void namesTheFileThatIsClosed() {
        FlatVector file = FlatVector.zerosInFile(folder, 10);
        file.close();

        assertThatThrownBy(() -> file.get(0))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageStartingWith("Failed to read scratch file " + folder);
    }

    private static FlatVector throughJava(FlatVector vector) throws IOException, ClassNotFoundException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(vector);
        }

        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            return (FlatVector) in.readObject();
        }
    }

    private static float[] floats(SplittableRandom random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextDouble(-1, 1);
        }

        return values;
    }

    private static float[] values(FlatVector vector) {
        float[] values = new float[Math.toIntExact(vector.length())];
        vector.read(0, values, 0, values.length);
        return values;
    }
}
