package org.sparkqlora.spark.job;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import org.apache.spark.serializer.KryoRegistrator;
import org.sparkqlora.spark.exchange.CollectExchange;
import org.sparkqlora.spark.exchange.GradientPart;
import org.sparkqlora.spark.job.FaultPoint.Place;
import org.sparkqlora.spark.kryo.TrainRegistrator;
import org.sparkqlora.spark.replica.ShardedStateJob;

/** The classes of {@link TrainRegistrator}, with gradients that pass the fault points of a run. */
public final class FaultRegistrator implements KryoRegistrator {
    @Override
    public void registerClasses(Kryo kryo) {
        new TrainRegistrator().registerClasses(kryo);
        watch(kryo, CollectExchange.WireGradient.class, Place.SEND);
        watch(kryo, GradientPart.class, Place.SEND);
        watch(kryo, ShardedStateJob.Made.class, Place.OWN);
    }

    private static <T> void watch(Kryo kryo, Class<T> type, Place written) {
        @SuppressWarnings("unchecked")
        Serializer<T> serializer = kryo.getSerializer(type);
        kryo.register(type, new Watched<>(serializer, written));
    }

    private static final class Watched<T> extends Serializer<T> {
        private final Serializer<T> serializer;
        private final Place written;

        private Watched(Serializer<T> serializer, Place written) {
            this.serializer = serializer;
            this.written = written;
        }

        @Override
        public void write(Kryo kryo, Output output, T value) {
            FaultPoint.ofProcess().reach(written);
            serializer.write(kryo, output, value);
        }

        @Override
        public T read(Kryo kryo, Input input, Class<T> type) {
            FaultPoint.ofProcess().reach(Place.ADD);
            return serializer.read(kryo, input, type);
        }
    }
}
