package org.sparkqlora.spark.blocks;

import java.util.List;
import java.util.function.IntFunction;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.sparkqlora.spark.cluster.ModelTasks;
import scala.Tuple2;
import scala.collection.JavaConverters;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/** Tasks that run on executors of our choice where those are free. Driver only. */
public final class PlacedTasks {
    private PlacedTasks() {}

    /** As {@link #of}, of tasks that use the replica of the device on which steps compute. */
    public static JavaRDD<Integer> withModel(
            JavaSparkContext context, List<Integer> tasks, IntFunction<List<ExecutorPlace>> places) {
        return ModelTasks.of(context.getConf()).place(of(context, tasks, places));
    }

    /**
     * A partition for each of {@code tasks}.
     *
     * @param places that a task prefers; none where all are the same to it
     */
    public static JavaRDD<Integer> of(
            JavaSparkContext context, List<Integer> tasks, IntFunction<List<ExecutorPlace>> places) {
        var placed = tasks.stream() // of Scala's Seq, which is another one from Spark 4 on
                .map(task -> new Tuple2<>(
                        task,
                        JavaConverters.asScalaBuffer(places.apply(task).stream()
                                        .map(ExecutorPlace::preference)
                                        .toList())
                                .toSeq()))
                .toList();
        @SuppressWarnings("unchecked") // as Spark's own Java interface does
        ClassTag<Integer> type = (ClassTag<Integer>) (ClassTag<?>) ClassTag$.MODULE$.AnyRef();
        return context.sc()
                .makeRDD(JavaConverters.asScalaBuffer(placed).toSeq(), type)
                .toJavaRDD();
    }
}
