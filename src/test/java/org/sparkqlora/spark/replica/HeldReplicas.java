package org.sparkqlora.spark.replica;

import java.lang.reflect.Field;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The replicas that this process, as a driver, holds for runs that are not over. */
public final class HeldReplicas {
    private HeldReplicas() {}

    /** The GPUs of which this process, as an executor, has replicas. */
    public static Set<List<String>> devices() {
        return Set.copyOf(held("FOLLOWING").keySet());
    }

    public static int count() {
        return held("ADOPTED").size();
    }

    @SuppressWarnings("unchecked") // as it is declared
    private static Map<List<String>, ?> held(String name) {
        try {
            Field field = ProcessReplicas.class.getDeclaredField(name);
            field.setAccessible(true);
            return (Map<List<String>, ?>) field.get(null);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }
}
