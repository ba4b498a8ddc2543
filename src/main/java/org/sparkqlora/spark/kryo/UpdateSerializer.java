package org.sparkqlora.spark.kryo;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.Update;

/** An update as its numbers and its gradient. */
final class UpdateSerializer extends Serializer<Update> {
    @Override
    public void write(Kryo kryo, Output output, Update update) {
        output.writeLong(update.fromVersion());
        output.writeFloat(update.scale());
        output.writeDouble(update.learningRate());
        kryo.writeObject(output, update.gradient());
    }

    @Override
    public Update read(Kryo kryo, Input input, Class<Update> type) {
        long version = input.readLong();
        float scale = input.readFloat();
        double learningRate = input.readDouble();
        return new Update(version, kryo.readObject(input, FlatVector.class), scale, learningRate);
    }
}
