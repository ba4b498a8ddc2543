package org.sparkqlora.spark.replica;

import java.lang.reflect.Field;
import java.util.Map;

/** The replicas that this process, as a driver, holds for runs that are not over. */
public final class HeldReplicas {
    private HeldReplicas() {}

    public static int count() {
        try {
            Field adopted = ProcessReplicas.class.getDeclaredField("ADOPTED");
            adopted.setAccessible(true);
            return ((Map<?, ?>) adopted.get(null)).size();
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }
}
