package org.sparkqlora.spark.blocks;

import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;

final class DirectMemory {
    private DirectMemory() {}

    /** Of this process outside Java's heap, as Java counts it. */
    static long bytes() {
        return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
    }
}
