package org.sparkqlora.spark.job;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;

/** A GPU that each executor of a {@code local-cluster} finds by a script, and that is not there. */
public final class MadeUpGpu {
    private MadeUpGpu() {}

    /**
     * Settings of a cluster whose workers have one each.
     *
     * @param folder where the script goes
     * @param address of the GPU
     * @param cores of an executor
     * @param share of the GPU that a task asks for
     */
    public static Map<String, String> settings(Path folder, String address, int cores, String share)
            throws IOException {
        return settings(folder, List.of(address), cores, share);
    }

    /** Of workers that have several. */
    public static Map<String, String> settings(Path folder, List<String> addresses, int cores, String share)
            throws IOException {
        Path script = Files.createFile(
                folder.resolve("discover"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        Files.writeString(
                script,
                "#!/bin/sh\necho '{\"name\": \"gpu\", \"addresses\": [\"%s\"]}'\n"
                        .formatted(String.join("\", \"", addresses)));
        String count = Integer.toString(addresses.size());
        return Map.of(
                "spark.worker.resource.gpu.amount",
                count,
                "spark.worker.resource.gpu.discoveryScript",
                script.toString(),
                "spark.executor.resource.gpu.amount",
                count,
                "spark.executor.cores",
                Integer.toString(cores),
                "spark.task.resource.gpu.amount",
                share);
    }
}
