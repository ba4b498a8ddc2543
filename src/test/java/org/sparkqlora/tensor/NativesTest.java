package org.sparkqlora.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativesTest {
    /** Below what is mapped and unmapped one by one, whatever was asked for. */
    private static final long BLOCK_BYTES = 4 << 20;

    private static final long LARGE_BLOCK_BYTES = 16 << 20;
    private static final int BLOCKS = 64;
    private static final long PAGE_BYTES = 4096;

    @TempDir
    private Path folder;

    @Test
    void processesThatUnpackAtOnceDoNotDisturbEachOther() throws IOException, InterruptedException {
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            processes.add(start(folder.resolve("out-" + i)));
        }

        for (int i = 0; i < 2; i++) {
            processes.get(i).waitFor();
            assertThat(Files.readString(folder.resolve("out-" + i))).contains("sum 3.0");
        }
    }

    @Test
    void eachVersionOfLibtorchIsUnpackedIntoAFolderOfItsOwn() throws IOException {
        Natives.load();

        assertThat(Loader.getCacheDir()).hasName("libtorch-" + Loader.getVersion("org.bytedeco", "pytorch"));
        assertThat(Loader.getCacheDir()).isDirectoryRecursivelyContaining("glob:**libtorch_cpu.so");
    }

    @Test
    void givesFreedMemoryBackWhenAsked() throws IOException {
        Natives.load();
        fillAndFree(BLOCK_BYTES);
        long kept = residentBytes();

        Natives.returnFreedMemory();

        assertThat(residentBytes()).isLessThan(kept - BLOCKS * BLOCK_BYTES / 2);
    }

    @Test
    void givesLargeBlocksBackAtOnceWhenAsked() throws IOException {
        Natives.load();
        Natives.returnFreedMemory();
        Natives.returnLargeBlocks();
        long before = residentBytes();

        fillAndFree(LARGE_BLOCK_BYTES);

        assertThat(residentBytes()).isLessThan(before + BLOCKS * LARGE_BLOCK_BYTES / 2);
    }

    private static void fillAndFree(long bytes) {
        List<Tensor> blocks = new ArrayList<>();
        for (int i = 0; i < BLOCKS; i++) {
            blocks.add(TensorScope.detached(() -> TensorMemory.zeros(ScalarType.Byte, bytes)));
        }

        blocks.forEach(Tensor::releaseReference);
    }

    /** {@code proc(5)}: the second number of statm, in pages. */
    private static long residentBytes() throws IOException {
        return Long.parseLong(Files.readString(Path.of("/proc/self/statm")).split(" ", 3)[1]) * PAGE_BYTES;
    }

    private Process start(Path output) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Dorg.bytedeco.javacpp.cachedir=" + folder.resolve("cache"),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Child.class.getName())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
    }

    /** Loads libtorch and uses it. */
    static final class Child {
        private Child() {}

        public static void main(String[] args) {
            Natives.load();
            System.out.println(
                    "sum " + TensorMemory.floats(new float[] {1, 2}, 2).sum().item_float());
        }
    }
}
