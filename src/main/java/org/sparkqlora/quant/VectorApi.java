package org.sparkqlora.quant;

import java.lang.management.ManagementFactory;
import java.util.List;

/**
 * Java's Vector API, of the module {@code jdk.incubator.vector}. Every kernel that uses it has a scalar twin with the same bits. Only Java's
 * second compiler makes instructions of vectors. A process that was started without it, for a quick start, uses the twins: each vector
 * would be an object.
 */
public final class VectorApi {
    private static final String LEVEL = "-XX:TieredStopAtLevel=";
    private static final String SECOND_COMPILER = LEVEL + "4";
    private static final boolean IS_USED =
            isPresent() && isCompiled(ManagementFactory.getRuntimeMXBean().getInputArguments());

    private VectorApi() {}

    /** Whether this process was started with the module. */
    public static boolean isPresent() {
        return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
    }

    /** Whether kernels of this process may use it. */
    public static boolean isUsed() {
        return IS_USED;
    }

    /** Whether a Java that was started with {@code options}, of which the last one counts, has its second compiler. */
    static boolean isCompiled(List<String> options) {
        return options.stream()
                .filter(option -> option.startsWith(LEVEL))
                .reduce(SECOND_COMPILER, (first, last) -> last)
                .equals(SECOND_COMPILER);
    }
}
