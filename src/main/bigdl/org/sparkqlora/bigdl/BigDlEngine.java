package org.sparkqlora.bigdl;

import com.intel.analytics.bigdl.dllib.utils.Engine$;

/** BigDL's thread pools, which each JVM must have before it does anything else. */
final class BigDlEngine {
    /** Into how many ranges BigDL cuts the adding of a slice; it forgets the failure of any. */
    private static final String ADDING_RANGES = "bigdl.utils.Engine.defaultPoolSize";

    private BigDlEngine() {}

    /** Adds each slice as one range, so that its tags, which lie at its two ends, tell whether all of it was added. */
    static synchronized void startForAdding() {
        System.setProperty(ADDING_RANGES, "1");
        Engine$.MODULE$.setNodeAndCore(1, 1);
    }
}
