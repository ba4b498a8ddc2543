package org.sparkqlora.spark.kryo;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.serializers.JavaSerializer;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.spark.serializer.KryoRegistrator;
import org.apache.spark.sql.types.StructType;
import org.sparkqlora.model.loss.LossTotal;
import org.sparkqlora.spark.cluster.ProcessFacts;
import org.sparkqlora.spark.exchange.BigDl;
import org.sparkqlora.spark.exchange.CollectExchange;
import org.sparkqlora.spark.exchange.GradientPart;
import org.sparkqlora.spark.exchange.HeldSums;
import org.sparkqlora.spark.exchange.PartKey;
import org.sparkqlora.spark.job.BatchSums;
import org.sparkqlora.spark.job.SparkEvaluator;
import org.sparkqlora.spark.job.SparkGenerator;
import org.sparkqlora.spark.prepare.GroupPart;
import org.sparkqlora.spark.prepare.GroupResult;
import org.sparkqlora.spark.prepare.LineGroup;
import org.sparkqlora.spark.prepare.PreparedFile;
import org.sparkqlora.spark.quantize.QuantizeJob.PartOutcome;
import org.sparkqlora.spark.replica.ShardedStateJob;
import org.sparkqlora.spark.replica.StateBlocks;
import org.sparkqlora.spark.replica.StateFiles;
import org.sparkqlora.spark.source.SourceFile;
import org.sparkqlora.spark.source.SourceSplit;
import org.sparkqlora.spark.speed.LeftBlocks;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.tensor.cuda.ComputeCapability;
import org.sparkqlora.train.ShardResult;
import org.sparkqlora.weights.FourBitPart;

/**
 * The serialisers of all classes of ours that cross between driver and executors:
 * {@code spark.kryo.registrator=org.sparkqlora.spark.kryo.TrainRegistrator}. The tests run with
 * {@code spark.kryo.registrationRequired}, which fails for a class that is missing here; a user's session does not ask for it, since
 * Spark's own stages and streams send classes that nobody registers. Vectors have compact serialisers of their own; records go
 * through Java serialisation, since Kryo cannot build one on Java 17.
 */
public final class TrainRegistrator implements KryoRegistrator {
    private static final List<Class<?>> SMALL = List.of(
            SourceFile.class,
            SourceSplit.class,
            LineGroup.class,
            GroupResult.class,
            GroupPart.Batch.class,
            GroupPart.Packed.class,
            PreparedFile.class,
            FourBitPart.class,
            PartOutcome.class,
            BatchSums.OfShard.class,
            SparkEvaluator.DocumentLosses.class,
            SparkGenerator.Asked.class,
            SparkGenerator.NumberedPrompt.class,
            SparkGenerator.NumberedTokens.class,
            ComputeCapability.class,
            ProcessFacts.class,
            LossTotal.class,
            ShardResult.BrokenLoss.class,
            ShardResult.Unreachable.class,
            StateBlocks.Written.class,
            StateFiles.StateFile.class,
            ShardedStateJob.Made.class,
            LeftBlocks.class,
            StructType.class); // tasks that read the schemas of Parquet and ORC files send them to the driver

    /** Goes with a copy of a block from Spark 4.3 on, which does not register it. */
    private static final String COPIED_BLOCK = "org.apache.spark.network.netty.BlockReplicationMetadata";

    /** What this jar and this Spark may have, looked for once: every Kryo asks. */
    private static final List<Class<?>> WHERE_THERE = Stream.concat(
                    BigDl.find().stream().flatMap(library -> library.kryoClasses().stream()),
                    find(COPIED_BLOCK).stream())
            .toList();

    @Override
    public void registerClasses(Kryo kryo) {
        kryo.register(FlatVector.class, new Serializers.FlatVectorSerializer());
        kryo.register(ShardResult.Gradient.class, new Serializers.ShardGradientSerializer());
        kryo.register(CollectExchange.WireGradient.class, new Serializers.WireGradientSerializer());
        kryo.register(PartKey.class, new Serializers.PartKeySerializer());
        kryo.register(GradientPart.class, new Serializers.GradientPartSerializer());
        kryo.register(HeldSums.Part.class, new Serializers.SumPartSerializer());
        kryo.register(byte[][].class);
        for (Class<?> type : SMALL) {
            kryo.register(type, new JavaSerializer());
        }

        WHERE_THERE.forEach(kryo::register);
    }

    private static Optional<Class<?>> find(String name) {
        try {
            return Optional.of(Class.forName(name, false, KryoRegistrator.class.getClassLoader()));
        } catch (ClassNotFoundException e) {
            return Optional.empty();
        }
    }
}
