package org.sparkqlora.train;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ShortBuffer;
import org.sparkqlora.input.OptionChoice;
import org.sparkqlora.quant.Bfloat16;
import org.sparkqlora.tensor.FlatVector;

/**
 * The number format in which a shard's gradient is sent, little endian. Sums are float32 in either, and in shard order, so that the
 * bytes of a run are the same on any cluster; the two formats give different bytes.
 */
public enum GradientDtype implements OptionChoice {
    /** Float32, as computed. */
    FP32(Float.BYTES) {
        @Override
        void encode(float[] values, ByteBuffer target, int count) {
            target.asFloatBuffer().put(values, 0, count);
        }

        @Override
        void decode(ByteBuffer source, float[] values, int count) {
            source.asFloatBuffer().get(values, 0, count);
        }
    },

    /** Bfloat16, rounded to nearest even: half the bytes, and each shard's values off by at most 2^-9 of themselves. */
    BF16(Short.BYTES) {
        @Override
        void encode(float[] values, ByteBuffer target, int count) {
            ShortBuffer shorts = target.asShortBuffer();
            for (int i = 0; i < count; i++) {
                shorts.put(i, Float.isNaN(values[i]) ? NOT_A_NUMBER : Bfloat16.round(values[i]));
            }
        }

        @Override
        void decode(ByteBuffer source, float[] values, int count) {
            ShortBuffer shorts = source.asShortBuffer();
            for (int i = 0; i < count; i++) {
                values[i] = Bfloat16.widen(shorts.get(i));
            }
        }
    };

    /** Rounding would carry some of them over to zero. */
    private static final short NOT_A_NUMBER = 0x7fc0;

    private static final int PIECE = 1 << 14;

    private final int bytesOfValue;

    GradientDtype(int bytesOfValue) {
        this.bytesOfValue = bytesOfValue;
    }

    /** Parses {@code fp32} or {@code bf16}. */
    public static GradientDtype parse(String name) {
        return OptionChoice.parse(values(), name, "Cannot send gradients as '%s': expected fp32 or bf16");
    }

    public int bytesOfValue() {
        return bytesOfValue;
    }

    /** Fills {@code target} with the elements of {@code vector} from {@code from} on. */
    public void read(FlatVector vector, long from, ByteBuffer target) {
        int count = target.remaining() / bytesOfValue;
        float[] piece = new float[Math.min(count, PIECE)];
        for (int done = 0; done < count; done += PIECE) {
            int length = Math.min(PIECE, count - done);
            vector.read(from + done, piece, 0, length);
            encode(piece, at(target, done), length);
        }
    }

    /** Sets the elements of {@code vector} from {@code from} on to what {@link #read} gave, the rest of {@code bytes}. */
    public void write(ByteBuffer bytes, FlatVector vector, long from) {
        eachPiece(bytes, (piece, done, count) -> vector.write(from + done, piece, 0, count));
    }

    /** Adds what {@link #read} gave, the rest of {@code bytes}, to the elements of {@code vector} from {@code from} on. */
    public void add(ByteBuffer bytes, FlatVector vector, long from) {
        eachPiece(bytes, (piece, done, count) -> vector.add(from + done, piece, 0, count));
    }

    /** Rounds every element of {@code vector} to this format. */
    public void round(FlatVector vector) {
        if (this == FP32) {
            return;
        }

        ByteBuffer bytes = ByteBuffer.allocate(PIECE * bytesOfValue);
        for (long from = 0; from < vector.length(); from += PIECE) {
            bytes.limit((int) Math.min(PIECE, vector.length() - from) * bytesOfValue);
            read(vector, from, bytes);
            write(bytes, vector, from);
        }
    }

    abstract void encode(float[] values, ByteBuffer target, int count);

    abstract void decode(ByteBuffer source, float[] values, int count);

    private void eachPiece(ByteBuffer bytes, PieceAction action) {
        int all = bytes.remaining() / bytesOfValue;
        float[] piece = new float[Math.min(all, PIECE)];
        for (int done = 0; done < all; done += PIECE) {
            int count = Math.min(PIECE, all - done);
            decode(at(bytes, done), piece, count);
            action.apply(piece, done, count);
        }
    }

    private ByteBuffer at(ByteBuffer bytes, int value) {
        return bytes.duplicate()
                .position(bytes.position() + value * bytesOfValue)
                .slice()
                .order(ByteOrder.LITTLE_ENDIAN);
    }

    private interface PieceAction {
        void apply(float[] piece, int done, int count);
    }
}
