package org.sparkqlora.spark.kryo;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.model.loss.LossTotal.Measures;
import org.sparkqlora.spark.blocks.ExecutorBlocks;
import org.sparkqlora.spark.blocks.ExecutorPlace;
import org.sparkqlora.spark.exchange.CollectExchange;
import org.sparkqlora.spark.exchange.GradientPart;
import org.sparkqlora.spark.exchange.HeldSums;
import org.sparkqlora.spark.exchange.PartKey;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.GradientDtype;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.train.ShardResult.Gradient;
import org.sparkqlora.train.metrics.PhaseSeconds;
import org.sparkqlora.train.metrics.ProcessMemory;
import org.sparkqlora.train.metrics.ShardReport;

/** Compact Kryo serialisers of vectors and gradients. */
public final class Serializers {
    private static final int PIECE = 1 << 18;

    private Serializers() {}

    /** A vector as its length and its float32 values, little endian. */
    static final class FlatVectorSerializer extends Serializer<FlatVector> {
        @Override
        public void write(Kryo kryo, Output output, FlatVector vector) {
            writeVector(output, vector, GradientDtype.FP32);
        }

        @Override
        public FlatVector read(Kryo kryo, Input input, Class<FlatVector> type) {
            return readVector(input, GradientDtype.FP32);
        }
    }

    /** A shard's gradient as its numbers and its vector. */
    static final class ShardGradientSerializer extends Serializer<Gradient> {
        @Override
        public void write(Kryo kryo, Output output, Gradient result) {
            output.writeInt(result.shard());
            write(output, result.loss());
            output.writeLong(result.tokens());
            write(output, result.report());
            kryo.writeObject(output, result.gradient());
        }

        @Override
        public Gradient read(Kryo kryo, Input input, Class<Gradient> type) {
            int shard = input.readInt();
            LossTotal loss = readLoss(input);
            long tokens = input.readLong();
            ShardReport report = readReport(input);
            return new Gradient(shard, loss, tokens, kryo.readObject(input, FlatVector.class), report);
        }

        private static void write(Output output, LossTotal loss) {
            output.writeDouble(loss.lossSum());
            output.writeLong(loss.terms());
            output.writeLong(loss.tokenCount());
            output.writeInt(loss.measures().sums().size());
            loss.measures().sums().forEach((name, sum) -> {
                output.writeString(name);
                output.writeDouble(sum.sum());
                output.writeDouble(sum.count());
            });
        }

        private static LossTotal readLoss(Input input) {
            double lossSum = input.readDouble();
            long terms = input.readLong();
            long tokenCount = input.readLong();
            Measures.Builder measures = new Measures.Builder();
            for (int left = input.readInt(); left > 0; left--) {
                measures.add(input.readString(), new Measures.Sum(input.readDouble(), input.readDouble()));
            }

            return new LossTotal(lossSum, terms, tokenCount, measures.build());
        }

        private static void write(Output output, ShardReport report) {
            output.writeString(report.worker());
            output.writeDouble(report.seconds().waiting());
            output.writeDouble(report.seconds().loading());
            output.writeDouble(report.seconds().replaying());
            output.writeDouble(report.seconds().reading());
            output.writeDouble(report.seconds().computing());
            output.writeLong(report.memory().residentBytes());
            output.writeLong(report.memory().peakBytes());
        }

        private static ShardReport readReport(Input input) {
            return new ShardReport(
                    input.readString(),
                    new PhaseSeconds(
                            input.readDouble(),
                            input.readDouble(),
                            input.readDouble(),
                            input.readDouble(),
                            input.readDouble()),
                    new ProcessMemory(input.readLong(), input.readLong()));
        }
    }

    /** A shard's result as its facts, its number format, and its vector in that format. */
    public static final class WireGradientSerializer extends Serializer<CollectExchange.WireGradient> {
        private static final GradientDtype[] DTYPES = GradientDtype.values();

        @Override
        public void write(Kryo kryo, Output output, CollectExchange.WireGradient gradient) {
            output.writeByte(gradient.dtype().ordinal());
            if (!(gradient.result() instanceof ShardResult.Gradient shard)) {
                kryo.writeClassAndObject(output, gradient.result());
                return;
            }

            kryo.writeClassAndObject(output, shard.withoutVector());
            writeVector(output, shard.gradient(), gradient.dtype());
        }

        @Override
        public CollectExchange.WireGradient read(Kryo kryo, Input input, Class<CollectExchange.WireGradient> type) {
            GradientDtype dtype = DTYPES[input.readByte()];
            ShardResult facts = (ShardResult) kryo.readClassAndObject(input);
            return new CollectExchange.WireGradient(
                    facts instanceof ShardResult.Gradient shard ? shard.withVector(readVector(input, dtype)) : facts,
                    dtype);
        }
    }

    /** A key as its two numbers. */
    static final class PartKeySerializer extends Serializer<PartKey> {
        @Override
        public void write(Kryo kryo, Output output, PartKey key) {
            output.writeInt(key.part());
            output.writeInt(key.member());
        }

        @Override
        public PartKey read(Kryo kryo, Input input, Class<PartKey> type) {
            return new PartKey(input.readInt(), input.readInt());
        }
    }

    /** A part as the facts of its shards, its handle and the task that left it. */
    static final class GradientPartSerializer extends Serializer<GradientPart> {
        @Override
        public void write(Kryo kryo, Output output, GradientPart part) {
            writeFacts(kryo, output, part.facts());
            writeHandle(output, part.handle());
            output.writeLong(part.task());
            output.writeInt(part.partition());
        }

        @Override
        public GradientPart read(Kryo kryo, Input input, Class<GradientPart> type) {
            return new GradientPart(readFacts(kryo, input), readHandle(input), input.readLong(), input.readInt());
        }
    }

    /** A part of a sum as the facts of the shards, its handle, its squares and its last numbers. */
    static final class SumPartSerializer extends Serializer<HeldSums.Part> {
        @Override
        public void write(Kryo kryo, Output output, HeldSums.Part part) {
            writeFacts(kryo, output, part.facts());
            writeHandle(output, part.handle());
            output.writeInt(part.squares().length);
            output.writeDoubles(part.squares());
            output.writeInt(part.tail().length);
            output.writeFloats(part.tail());
        }

        @Override
        public HeldSums.Part read(Kryo kryo, Input input, Class<HeldSums.Part> type) {
            List<ShardResult> facts = readFacts(kryo, input);
            return new HeldSums.Part(
                    facts, readHandle(input), input.readDoubles(input.readInt()), input.readFloats(input.readInt()));
        }
    }

    private static void writeHandle(Output output, ExecutorBlocks.@Nullable Handle handle) {
        output.writeString(handle == null ? null : handle.name());
        if (handle == null) {
            return;
        }

        output.writeInt(handle.length());
        output.writeInt(handle.checksum());
        output.writeInt(handle.places().size());
        for (ExecutorPlace place : handle.places()) {
            output.writeString(place.executor());
            output.writeString(place.host());
            output.writeInt(place.port());
        }
    }

    private static ExecutorBlocks.@Nullable Handle readHandle(Input input) {
        String name = input.readString();
        if (name == null) {
            return null;
        }

        int length = input.readInt();
        int checksum = input.readInt();
        List<ExecutorPlace> places = new ArrayList<>();
        for (int left = input.readInt(); left > 0; left--) {
            places.add(new ExecutorPlace(input.readString(), input.readString(), input.readInt()));
        }

        return new ExecutorBlocks.Handle(name, length, checksum, places);
    }

    private static void writeFacts(Kryo kryo, Output output, List<ShardResult> facts) {
        output.writeInt(facts.size());
        facts.forEach(each -> kryo.writeClassAndObject(output, each));
    }

    private static List<ShardResult> readFacts(Kryo kryo, Input input) {
        int shards = input.readInt();
        List<ShardResult> facts = new ArrayList<>(shards);
        for (int i = 0; i < shards; i++) {
            facts.add((ShardResult) kryo.readClassAndObject(input));
        }

        return facts;
    }

    /** Piece by piece: the bytes of a whole vector are never in memory at once. */
    private static void writeVector(Output output, FlatVector vector, GradientDtype dtype) {
        output.writeLong(vector.length());
        byte[] bytes = new byte[countAt(0, vector) * dtype.bytesOfValue()];
        for (long from = 0; from < vector.length(); from += PIECE) {
            int length = countAt(from, vector) * dtype.bytesOfValue();
            dtype.read(vector, from, ByteBuffer.wrap(bytes, 0, length));
            output.writeBytes(bytes, 0, length);
        }
    }

    private static FlatVector readVector(Input input, GradientDtype dtype) {
        FlatVector vector = FlatVector.zeros(input.readLong());
        byte[] bytes = new byte[countAt(0, vector) * dtype.bytesOfValue()];
        for (long from = 0; from < vector.length(); from += PIECE) {
            int length = countAt(from, vector) * dtype.bytesOfValue();
            input.readBytes(bytes, 0, length);
            dtype.write(ByteBuffer.wrap(bytes, 0, length), vector, from);
        }

        return vector;
    }

    private static int countAt(long from, FlatVector vector) {
        return (int) Math.min(PIECE, vector.length() - from);
    }
}
