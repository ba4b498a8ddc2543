package org.sparkqlora.spark.kryo;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import org.sparkqlora.spark.exchange.WireGradient;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.ShardResult;

/** A shard's result as its facts, the wire, and the wire's bytes of its vector, which is never copied as a whole on the way. */
public final class WireGradientSerializer extends Serializer<WireGradient> {
    private static final GradientDtype[] WIRES = GradientDtype.values();
    private static final int PIECE = 1 << 16;

    @Override
    public void write(Kryo kryo, Output output, WireGradient gradient) {
        output.writeByte(gradient.wire().ordinal());
        if (!(gradient.result() instanceof ShardResult.Gradient shard)) {
            kryo.writeClassAndObject(output, gradient.result());
            return;
        }

        kryo.writeClassAndObject(output, shard.withoutVector());
        FlatVector vector = shard.gradient();
        output.writeLong(vector.length());
        for (long from = 0; from < vector.length(); from += PIECE) {
            output.writeBytes(gradient.wire().read(vector, from, countAt(from, vector)));
        }
    }

    @Override
    public WireGradient read(Kryo kryo, Input input, Class<WireGradient> type) {
        GradientDtype wire = WIRES[input.readByte()];
        ShardResult facts = (ShardResult) kryo.readClassAndObject(input);
        if (!(facts instanceof ShardResult.Gradient shard)) {
            return new WireGradient(facts, wire);
        }

        FlatVector vector = FlatVector.zeros(input.readLong());
        for (long from = 0; from < vector.length(); from += PIECE) {
            wire.write(input.readBytes(countAt(from, vector) * wire.bytesOfValue()), vector, from);
        }

        return new WireGradient(shard.withVector(vector), wire);
    }

    private static int countAt(long from, FlatVector vector) {
        return (int) Math.min(PIECE, vector.length() - from);
    }
}
