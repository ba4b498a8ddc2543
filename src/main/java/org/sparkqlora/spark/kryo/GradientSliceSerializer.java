package org.sparkqlora.spark.kryo;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import org.sparkqlora.spark.exchange.GradientSlice;
import org.sparkqlora.train.ShardResult;

/** A slice as the facts of its shard and its bytes. */
public final class GradientSliceSerializer extends Serializer<GradientSlice> {
    @Override
    public void write(Kryo kryo, Output output, GradientSlice slice) {
        kryo.writeClassAndObject(output, slice.facts());
        output.writeInt(slice.values().length);
        output.writeBytes(slice.values());
    }

    @Override
    public GradientSlice read(Kryo kryo, Input input, Class<GradientSlice> type) {
        ShardResult facts = (ShardResult) kryo.readClassAndObject(input);
        return new GradientSlice(facts, input.readBytes(input.readInt()));
    }
}
