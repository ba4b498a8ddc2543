package org.sparkqlora.spark;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import org.sparkqlora.train.ShardResult;

/** A shard's result as its facts and the bytes of its vector. */
final class WireGradientSerializer extends Serializer<WireGradient> {
    @Override
    public void write(Kryo kryo, Output output, WireGradient gradient) {
        kryo.writeClassAndObject(output, gradient.facts());
        output.writeInt(gradient.pieces().length);
        for (byte[] piece : gradient.pieces()) {
            output.writeInt(piece.length);
            output.writeBytes(piece);
        }
    }

    @Override
    public WireGradient read(Kryo kryo, Input input, Class<WireGradient> type) {
        ShardResult facts = (ShardResult) kryo.readClassAndObject(input);
        byte[][] pieces = new byte[input.readInt()][];
        for (int i = 0; i < pieces.length; i++) {
            pieces[i] = input.readBytes(input.readInt());
        }

        return new WireGradient(facts, pieces);
    }
}
