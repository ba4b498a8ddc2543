package org.sparkqlora.spark.kryo;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import java.util.ArrayList;
import java.util.List;
import org.sparkqlora.spark.exchange.SummedPart;
import org.sparkqlora.train.ShardResult;

/** A piece of the sum as the facts of the shards and its bytes. */
final class SummedPartSerializer extends Serializer<SummedPart> {
    @Override
    public void write(Kryo kryo, Output output, SummedPart part) {
        output.writeInt(part.facts().size());
        for (ShardResult facts : part.facts()) {
            kryo.writeClassAndObject(output, facts);
        }

        output.writeInt(part.values().length);
        output.writeBytes(part.values());
    }

    @Override
    public SummedPart read(Kryo kryo, Input input, Class<SummedPart> type) {
        int shards = input.readInt();
        List<ShardResult> facts = new ArrayList<>(shards);
        for (int i = 0; i < shards; i++) {
            facts.add((ShardResult) kryo.readClassAndObject(input));
        }

        return new SummedPart(facts, input.readBytes(input.readInt()));
    }
}
