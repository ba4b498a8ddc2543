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

/** The classes of {@link TrainRegistrator}, with gradients that pass the fault points of a run. */
public final class FaultRegistrator implements KryoRegistrator {
    @Override
    public void registerClasses(Kryo kryo) {
        new TrainRegistrator().registerClasses(kryo);
        watch(kryo, CollectExchange.WireGradient.class);
        watch(kryo, GradientPart.class);
    }

    private static <T> void watch(Kryo kryo, Class<T> type) {
        @SuppressWarnings("unchecked")
        Serializer<T> serializer = kryo.getSerializer(type);
        kryo.register(type, new Watched<>(serializer));
    }

    private static final class Watched<T> extends Serializer<T> {
        private final Serializer<T> serializer;

        private Watched(Serializer<T> serializer) {
            this.serializer = serializer;
        }

        @Override
        public void write(Kryo kryo, Output output, T value) {
            FaultPoint.ofProcess().reach(Place.SEND);
            serializer.write(kryo, output, value);
        }

        @Override
        public T read(Kryo kryo, Input input, Class<T> type) {
            FaultPoint.ofProcess().reach(Place.ADD);
            return serializer.read(kryo, input, type);
        }
    }
}
