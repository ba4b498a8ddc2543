package org.sparkqlora.spark.cluster;

import java.io.Serializable;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.rdd.ShuffledRDD;
import org.apache.spark.serializer.Serializer;
import org.apache.spark.serializer.SerializerInstance;

/**
 * The serialiser of the process that a task runs in, for shuffles of small records. A shuffle carries a copy of the driver's serialiser
 * into every task, where a Kryo of its own, which registers all classes in some milliseconds, is made for each partition that the task
 * writes and for what it reads; the process keeps those that it has made.
 */
public final class ProcessSerializer extends Serializer implements Serializable {
    private static final long serialVersionUID = 1L;

    private ProcessSerializer() {}

    /** The same records, written and read by this serialiser. For a shuffle that nothing has used yet. */
    public static <K, V> JavaPairRDD<K, V> of(JavaPairRDD<K, V> shuffled) {
        ((ShuffledRDD<?, ?, ?>) shuffled.rdd()).setSerializer(new ProcessSerializer());
        return shuffled;
    }

    @Override
    public SerializerInstance newInstance() {
        return ofProcess().newInstance();
    }

    @Override
    public boolean supportsRelocationOfSerializedObjects() {
        return ofProcess().supportsRelocationOfSerializedObjects();
    }

    private static Serializer ofProcess() {
        return SparkEnv.get().serializer();
    }
}
