package org.sparkqlora.spark.kryo;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import org.sparkqlora.spark.exchange.SliceKey;

/** A key as its two numbers. */
final class SliceKeySerializer extends Serializer<SliceKey> {
    @Override
    public void write(Kryo kryo, Output output, SliceKey key) {
        output.writeInt(key.slice());
        output.writeInt(key.shard());
    }

    @Override
    public SliceKey read(Kryo kryo, Input input, Class<SliceKey> type) {
        return new SliceKey(input.readInt(), input.readInt());
    }
}
