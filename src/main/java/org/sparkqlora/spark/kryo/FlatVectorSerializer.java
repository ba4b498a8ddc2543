package org.sparkqlora.spark.kryo;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.sparkqlora.tensor.FlatVector;

/** A vector as its length and its float32 values, little endian. */
final class FlatVectorSerializer extends Serializer<FlatVector> {
    private static final int PIECE = 1 << 14;

    @Override
    public void write(Kryo kryo, Output output, FlatVector vector) {
        output.writeLong(vector.length());
        float[] values = new float[PIECE];
        byte[] bytes = new byte[PIECE * Float.BYTES];
        for (long from = 0; from < vector.length(); from += PIECE) {
            int count = (int) Math.min(PIECE, vector.length() - from);
            vector.read(from, values, 0, count);
            ByteBuffer.wrap(bytes)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .asFloatBuffer()
                    .put(values, 0, count);
            output.writeBytes(bytes, 0, count * Float.BYTES);
        }
    }

    @Override
    public FlatVector read(Kryo kryo, Input input, Class<FlatVector> type) {
        FlatVector vector = FlatVector.zeros(input.readLong());
        float[] values = new float[PIECE];
        byte[] bytes = new byte[PIECE * Float.BYTES];
        for (long from = 0; from < vector.length(); from += PIECE) {
            int count = (int) Math.min(PIECE, vector.length() - from);
            input.readBytes(bytes, 0, count * Float.BYTES);
            ByteBuffer.wrap(bytes)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .asFloatBuffer()
                    .get(values, 0, count);
            vector.write(from, values, 0, count);
        }

        return vector;
    }
}
