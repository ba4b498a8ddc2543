package org.sparkqlora.quant;

/**
 * Java's Vector API, of the module {@code jdk.incubator.vector}. Every kernel that uses it has a scalar twin with the same bits, which the system
 * property {@code qlora.vectors=false} chooses: with {@code -XX:TieredStopAtLevel=1}, a command of seconds ends sooner so, since the compiler
 * that vectors need takes longer than it saves.
 */
public final class VectorApi {
    private static final String SWITCH = "qlora.vectors";
    private static final boolean IS_USED = isPresent() && !"false".equals(System.getProperty(SWITCH));

    private VectorApi() {}

    /** Whether this process was started with the module. */
    public static boolean isPresent() {
        return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
    }

    /** Whether kernels of this process may use it. */
    public static boolean isUsed() {
        return IS_USED;
    }
}
