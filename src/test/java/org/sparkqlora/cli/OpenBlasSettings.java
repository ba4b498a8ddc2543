package org.sparkqlora.cli;

import java.util.Map;
import java.util.stream.Collectors;

/** Variables by which a machine may choose OpenBLAS' kernels: runs whose bytes are compared need the same ones. */
final class OpenBlasSettings {
    private OpenBlasSettings() {}

    /** Those of this process. */
    static Map<String, String> ofProcess() {
        return System.getenv().entrySet().stream()
                .filter(variable -> variable.getKey().startsWith("OPENBLAS_"))
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }
}
