package org.sparkqlora.bigdl;

import com.intel.analytics.bigdl.dllib.utils.Engine$;

/** BigDL's thread pools, which each JVM must have before it does anything else. */
final class BigDlEngine {
    /** Into how many ranges BigDL cuts the adding of a slice; it forgets the failure of any. */
    private static final int ADDING_RANGES = 1;

    /** A thread for each event file that is open. */
    private static final int WRITERS = 8;

    private static final String POOL_SIZE = "bigdl.utils.Engine.defaultPoolSize";

    private BigDlEngine() {}

    /** Adds each slice as one range, so that its tags, which lie at its two ends, tell whether all of it was added. */
    static void startForAdding() {
        start(ADDING_RANGES);
    }

    /** Driver only, where nothing is added. */
    static void startForWriting() {
        start(WRITERS);
    }

    private static synchronized void start(int poolSize) {
        System.setProperty(POOL_SIZE, String.valueOf(poolSize));
        Engine$.MODULE$.setNodeAndCore(1, 1);
    }
}
