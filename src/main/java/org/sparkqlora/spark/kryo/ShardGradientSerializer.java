package org.sparkqlora.spark.kryo;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import org.sparkqlora.model.LossTotal;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.ShardResult.Gradient;
import org.sparkqlora.train.metrics.PhaseSeconds;
import org.sparkqlora.train.metrics.ProcessMemory;
import org.sparkqlora.train.metrics.ShardReport;

/** A shard's gradient as its numbers and its vector. */
final class ShardGradientSerializer extends Serializer<Gradient> {
    @Override
    public void write(Kryo kryo, Output output, Gradient result) {
        output.writeInt(result.shard());
        output.writeDouble(result.loss().lossSum());
        output.writeLong(result.loss().tokenCount());
        output.writeLong(result.tokens());
        write(output, result.report());
        kryo.writeObject(output, result.gradient());
    }

    @Override
    public Gradient read(Kryo kryo, Input input, Class<Gradient> type) {
        int shard = input.readInt();
        LossTotal loss = new LossTotal(input.readDouble(), input.readLong());
        long tokens = input.readLong();
        ShardReport report = readReport(input);
        return new Gradient(shard, loss, tokens, kryo.readObject(input, FlatVector.class), report);
    }

    private static void write(Output output, ShardReport report) {
        output.writeString(report.worker());
        output.writeDouble(report.seconds().waiting());
        output.writeDouble(report.seconds().loading());
        output.writeDouble(report.seconds().replaying());
        output.writeDouble(report.seconds().computing());
        output.writeLong(report.memory().residentBytes());
        output.writeLong(report.memory().peakBytes());
    }

    private static ShardReport readReport(Input input) {
        return new ShardReport(
                input.readString(),
                new PhaseSeconds(input.readDouble(), input.readDouble(), input.readDouble(), input.readDouble()),
                new ProcessMemory(input.readLong(), input.readLong()));
    }
}
