package org.sparkqlora.spark.job;

import org.apache.spark.api.java.function.Function;
import org.sparkqlora.tensor.cuda.GpuLostError;

/** A loss that is made up. */
class LostGpuTest extends LostGpuContract {
    private static final String LOST = "lost";

    @Override
    Function<Integer, String> task() {
        return number -> onLostGpu();
    }

    private static String onLostGpu() {
        if (losesTheGpu()) {
            System.setProperty(LOST, executor());
        }

        if (System.getProperty(LOST) != null) {
            throw new GpuLostError("lost on " + executor());
        }

        return executor();
    }
}
