package org.sparkqlora.tensor;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/** Numbers in a scratch file, which pass through memory in pieces. Serialised, they become numbers in memory. */
final class FileFloats implements FloatStore {
    private static final long serialVersionUID = 1L;
    private static final int PIECE = 1 << 14;

    private final long length;
    private final transient ScratchFile file;

    private FileFloats(long length, ScratchFile file) {
        this.length = length;
        this.file = file;
    }

    static FileFloats zeros(Path folder, long length) {
        return new FileFloats(length, ScratchFile.create(folder, "vector", length * Float.BYTES));
    }

    @Override
    public float get(long index) {
        float[] value = new float[1];
        read(index, value, 0, 1);
        return value[0];
    }

    @Override
    public void set(long index, float value) {
        write(index, new float[] {value}, 0, 1);
    }

    @Override
    public void read(long from, float[] target, int at, int count) {
        ByteBuffer bytes = buffer(count);
        for (int done = 0; done < count; done += PIECE) {
            int n = Math.min(PIECE, count - done);
            file.read((from + done) * Float.BYTES, bytes.clear().limit(n * Float.BYTES));
            bytes.flip().asFloatBuffer().get(target, at + done, n);
        }
    }

    @Override
    public void write(long from, float[] source, int at, int count) {
        ByteBuffer bytes = buffer(count);
        for (int done = 0; done < count; done += PIECE) {
            int n = Math.min(PIECE, count - done);
            bytes.clear().limit(n * Float.BYTES);
            bytes.asFloatBuffer().put(source, at + done, n);
            file.write((from + done) * Float.BYTES, bytes);
        }
    }

    @Override
    public void add(long from, float[] source, int at, int count) {
        float[] sum = new float[Math.min(PIECE, count)];
        for (int done = 0; done < count; done += PIECE) {
            int n = Math.min(PIECE, count - done);
            read(from + done, sum, 0, n);
            for (int i = 0; i < n; i++) {
                sum[i] += source[at + done + i];
            }

            write(from + done, sum, 0, n);
        }
    }

    @Override
    public void close() {
        file.close();
    }

    private static ByteBuffer buffer(int count) {
        return ByteBuffer.allocate(Math.min(PIECE, count) * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    }

    private Object writeReplace() {
        HeapFloats copy = HeapFloats.zeros(length);
        float[] piece = new float[PIECE];
        for (long from = 0; from < length; from += PIECE) {
            int count = (int) Math.min(PIECE, length - from);
            read(from, piece, 0, count);
            copy.write(from, piece, 0, count);
        }

        return copy;
    }
}
