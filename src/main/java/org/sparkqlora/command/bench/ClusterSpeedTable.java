package org.sparkqlora.command.bench;

import java.util.List;
import java.util.Locale;
import org.sparkqlora.spark.speed.ClusterSpeed;

/** The speed of a cluster as a table for people. */
record ClusterSpeedTable(ClusterSpeed speed) {
    private static final double GIGA = 1e9;
    private static final double MILLIS = 1e3;

    List<String> lines() {
        return List.of(
                String.format(Locale.ROOT, "%d executors, one task each", speed.executors()),
                rate("network: blocks from another process", speed.networkBytes()),
                rate("write: encoding and leaving blocks", speed.writtenBytes()),
                rate("addition: reading, decoding, adding", speed.addedBytes()),
                time("block", speed.secondsOfBlock()),
                time("task, of the driver", speed.secondsOfTask()),
                time("stage", speed.secondsOfStage()),
                time("message, of the driver", speed.secondsOfMessage()));
    }

    private static String rate(String name, double bytesPerSecond) {
        return String.format(Locale.ROOT, "%-40s %10.3f GB/s", name, bytesPerSecond / GIGA);
    }

    private static String time(String name, double seconds) {
        return String.format(Locale.ROOT, "%-40s %10.3f ms", name, seconds * MILLIS);
    }
}
