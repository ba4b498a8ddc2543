package org.sparkqlora.spark;

import java.nio.file.Path;
import org.apache.spark.SparkEnv;
import org.apache.spark.util.Utils;

/** Where this process, driver or executor, may put what does not outlive it. */
public final class ScratchFolder {
    private ScratchFolder() {}

    /** The first of Spark's local folders: {@code spark.local.dir}, or what the cluster manager gives instead. */
    public static Path ofProcess() {
        return Path.of(Utils.getLocalDir(SparkEnv.get().conf()));
    }
}
