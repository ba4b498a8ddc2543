package org.sparkqlora.tensor.cuda;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.NullMarked;

/**
 * A GPU that the processor plays: {@code src/test/resources/cuda/driver.cpp} and the kernels' own source, compiled by g++ without
 * fused operations. What runs on it differs from a real card in everything but the source and the calls of the driver.
 */
@NullMarked
public final class HostCuda {
    /** Of the tests that need g++. */
    public static final String TAG = "compiler";

    private static final Path SOURCE = Path.of("src", "test", "resources", "cuda", "driver.cpp");
    private static final Path KERNELS = Path.of("src", "main", "resources", "org", "sparkqlora", "tensor", "cuda");
    private static final Path TARGET = Path.of("target", "cuda");
    private static final byte[] NO_IMAGE = {0};

    private HostCuda() {}

    /** The path of the driver, compiled once a process. */
    public static Path library() {
        return Once.COMPILED.library;
    }

    public static CudaDevice device() {
        return CudaDriver.load(library().toString()).device(0);
    }

    public static DequantizeKernel dequantize() {
        return new DequantizeKernel(device().kernels(NO_IMAGE));
    }

    public static AdamWKernel adamW() {
        return new AdamWKernel(device().kernels(NO_IMAGE));
    }

    /** Of each of its devices. */
    public static List<GpuAdamW> adamWOfEach() {
        CudaDriver driver = CudaDriver.load(library().toString());
        return IntStream.range(0, driver.devices())
                .<GpuAdamW>mapToObj(
                        number -> new AdamWKernel(driver.device(number).kernels(NO_IMAGE)))
                .toList();
    }

    private static Path compile() {
        try {
            Files.createDirectories(TARGET);
            Path library = Files.createTempFile(TARGET, "libcuda-", ".so").toAbsolutePath();
            run(List.of(
                    "g++",
                    "-std=c++17",
                    "-O2",
                    "-Wall",
                    "-Wextra",
                    "-Werror",
                    "-ffp-contract=off",
                    "-shared",
                    "-fPIC",
                    "-I",
                    KERNELS.toString(),
                    SOURCE.toString(),
                    "-o",
                    library.toString()));
            library.toFile().deleteOnExit();
            return library;
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "Failed to compile the kernels for the host: expected g++. To leave these tests out: mvn"
                            + " -DexcludedGroups=gpu,platform,compiler verify",
                    e);
        }
    }

    private static void run(List<String> command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (!process.waitFor(1, TimeUnit.MINUTES) || process.exitValue() != 0) {
                throw new IllegalStateException("Failed to run %s:%n%s".formatted(String.join(" ", command), output));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("Interrupted while g++ runs", e);
        }
    }

    /** Class initialisation runs once and is seen by all threads. */
    private enum Once {
        COMPILED(compile());

        private final Path library;

        Once(Path library) {
            this.library = library;
        }
    }
}
