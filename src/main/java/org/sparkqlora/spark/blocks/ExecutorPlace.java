package org.sparkqlora.spark.blocks;

import java.io.Serializable;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.SparkEnv;
import org.apache.spark.storage.BlockManagerId;
import scala.Option;
import scala.collection.JavaConverters;

/**
 * A process that runs tasks, and where its blocks are fetched.
 *
 * @param executor its id in the application
 * @param host its host
 * @param port on which it serves blocks
 */
public record ExecutorPlace(String executor, String host, int port) implements Serializable {
    private static final Comparator<ExecutorPlace> ORDER =
            Comparator.comparing(ExecutorPlace::executor).thenComparing(ExecutorPlace::host);

    /** This process. */
    public static ExecutorPlace here() {
        return of(SparkEnv.get().blockManager().blockManagerId());
    }

    /** The executors that are there now, in a fixed order; in a local application that is the driver. Driver only. */
    public static List<ExecutorPlace> all() {
        List<BlockManagerId> known = List.copyOf(JavaConverters.mapAsJavaMap(
                        SparkEnv.get().blockManager().master().getMemoryStatus())
                .keySet());
        Stream<BlockManagerId> executors =
                known.size() == 1 ? known.stream() : known.stream().filter(id -> !id.isDriver());
        return executors.map(ExecutorPlace::of).sorted(ORDER).toList();
    }

    private static ExecutorPlace of(BlockManagerId id) {
        return new ExecutorPlace(id.executorId(), id.host(), id.port());
    }

    /** As Spark knows it. */
    public BlockManagerId toBlockManager() {
        return BlockManagerId.apply(executor, host, port, Option.empty());
    }

    /** Its name in a preference for where a task runs. */
    public String preference() {
        return "executor_" + host + "_" + executor;
    }

    @Override
    public String toString() {
        return "executor %s on %s".formatted(executor, host);
    }
}
