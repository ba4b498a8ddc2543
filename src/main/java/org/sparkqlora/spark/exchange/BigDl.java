package org.sparkqlora.spark.exchange;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import org.apache.spark.SparkConf;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.spark.watch.EventFiles;
import org.sparkqlora.train.GradientFormat;
import org.sparkqlora.train.Trigger;

/** The BigDL features of a run, available if the jar was built with it. */
public interface BigDl {
    /** BigDL in this jar, if it is there. */
    static Optional<BigDl> find() {
        return find(BigDl.class.getClassLoader());
    }

    static Optional<BigDl> find(ClassLoader loader) {
        return ServiceLoader.load(BigDl.class, loader).findFirst();
    }

    /** BigDL in this jar; an {@link IllegalArgumentException} if the jar was built without it. */
    static BigDl require() {
        return require(BigDl.class.getClassLoader());
    }

    static BigDl require(ClassLoader loader) {
        return find(loader)
                .orElseThrow(
                        () -> new BadInputException(
                                "Cannot use BigDL: expected a jar with it, found one without. Build the jar for Spark 3.5 by 'mvn -B -Dbigdl=true -DskipTests package', or leave the option out."));
    }

    /** Gradient exchange by its AllReduceParameter. */
    GradientExchange exchange(GradientSize size, GradientFormat format);

    /** Problems that rule out that exchange; empty if it can be used. */
    List<String> exchangeProblems(GradientSize size, SparkConf settings);

    /**
     * Its Trigger of this text, such as {@code everyEpoch} or {@code and(severalIteration(50), minLoss(1.5))}; an
     * {@link IllegalArgumentException} for a text that means none.
     */
    Trigger trigger(String text);

    /** Event files for TensorBoard below {@code folder/run}, which is on this host; an earlier run's stay. */
    EventFiles eventFiles(Path folder, String run);

    /** Its classes that Spark writes to disk when memory is short. */
    List<Class<?>> kryoClasses();
}
