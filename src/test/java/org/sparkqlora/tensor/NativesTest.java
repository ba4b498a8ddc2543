package org.sparkqlora.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.ChildJvm;

class NativesTest {
    /** Below what is mapped and unmapped one by one, whatever was asked for. */
    private static final long BLOCK_BYTES = 4 << 20;

    private static final long LARGE_BLOCK_BYTES = 16 << 20;
    private static final int BLOCKS = 32;
    private static final long PAGE_BYTES = 4096;

    @TempDir
    private Path folder;

    @Test
    void processesThatUnpackAtOnceDoNotDisturbEachOther() throws IOException, InterruptedException {
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            processes.add(start(
                    folder.resolve("out-" + i),
                    List.of("-Dorg.bytedeco.javacpp.cachedir=" + folder.resolve("cache")),
                    Child.class));
        }

        for (int i = 0; i < 2; i++) {
            processes.get(i).waitFor();
            assertThat(Files.readString(folder.resolve("out-" + i))).contains("sum 3.0");
        }
    }

    /** A library that JavaCPP loads brings in those that it needs before JavaCPP has looked at their lengths, and the process would abort. */
    @Test
    void aLibraryThatAKilledProcessLeftCutOffIsUnpackedAgain() throws IOException, InterruptedException {
        List<String> flags = List.of("-Dorg.bytedeco.javacpp.cachedir=" + folder.resolve("cache"));
        start(folder.resolve("first"), flags, Child.class).waitFor();
        Path library = unpacked("libtorch_cpu.so");
        long whole = Files.size(library);
        try (FileChannel channel = FileChannel.open(library, StandardOpenOption.WRITE)) {
            channel.truncate(whole / 3);
        }

        start(folder.resolve("second"), flags, Child.class).waitFor();

        assertThat(Files.readString(folder.resolve("second"))).contains("sum 3.0");
        assertThat(library).hasSize(whole);
    }

    private Path unpacked(String name) throws IOException {
        try (Stream<Path> files = Files.walk(folder.resolve("cache"))) {
            return files.filter(file -> file.endsWith(name)).findFirst().orElseThrow();
        }
    }

    @Test
    void eachVersionOfLibtorchIsUnpackedIntoAFolderOfItsOwn() throws IOException {
        Natives.load();

        assertThat(Loader.getCacheDir()).hasName("libtorch-" + Loader.getVersion("org.bytedeco", "pytorch"));
        assertThat(Loader.getCacheDir()).isDirectoryRecursivelyContaining("glob:**libtorch_cpu.so");
    }

    /** Each is a search of all jars: there were 18,000, most of them for libraries of GPUs. */
    @Test
    void librariesOfGpusAreLookedForWhereTheyAreAlone() throws IOException, InterruptedException {
        Path output = folder.resolve("lookups");
        start(output, List.of(), Lookups.class).waitFor();

        String lookups = Files.readAllLines(output).stream()
                .filter(line -> line.startsWith("lookups "))
                .findFirst()
                .orElseThrow();
        assertThat(Integer.parseInt(lookups.split(" ", 2)[1]) > 2000).isEqualTo(Natives.computesOnGpus());
    }

    @Test
    void givesLargeBlocksBackAtOnceAndOtherFreedMemoryWhenAsked() throws IOException, InterruptedException {
        Path output = folder.resolve("resident");
        start(output, List.of(), Freeing.class).waitFor();

        long[] resident = Files.readAllLines(output).stream()
                .filter(line -> line.startsWith("resident "))
                .mapToLong(line -> Long.parseLong(line.split(" ", 2)[1]))
                .toArray();
        assertThat(resident).hasSize(4);
        assertThat(resident[1]).isLessThan(resident[0] + BLOCKS * LARGE_BLOCK_BYTES / 2);
        assertThat(resident[3]).isLessThan(resident[2] - BLOCKS * BLOCK_BYTES / 2);
    }

    /**
     * Prints its resident memory before and after it frees large blocks, after it frees others, and after these are given back. In a process of its own: of one that has
     * run other tests the system may take and bring back pages meanwhile.
     */
    static final class Freeing {
        private Freeing() {}

        public static void main(String[] args) throws IOException {
            Natives.load();
            Natives.returnLargeBlocks();
            System.out.println("resident " + residentBytes());
            fillAndFree(LARGE_BLOCK_BYTES);
            System.out.println("resident " + residentBytes());
            fillAndFree(BLOCK_BYTES);
            System.out.println("resident " + residentBytes());
            Natives.returnFreedMemory();
            System.out.println("resident " + residentBytes());
        }
    }

    private static void fillAndFree(long bytes) {
        List<Tensor> blocks = new ArrayList<>();
        for (int i = 0; i < BLOCKS; i++) {
            blocks.add(TensorScope.detached(
                    () -> TensorMemory.empty(ScalarType.Byte, bytes).zero_()));
        }

        blocks.forEach(Tensor::releaseReference);
    }

    /** {@code proc(5)}: the second number of statm, in pages. */
    private static long residentBytes() throws IOException {
        return Long.parseLong(Files.readString(Path.of("/proc/self/statm")).split(" ", 3)[1]) * PAGE_BYTES;
    }

    private static Process start(Path output, List<String> flags, Class<?> program) throws IOException {
        return new ProcessBuilder(ChildJvm.command(flags, program, List.of()))
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
    }

    /** Prints how often a class loader is asked for a resource while libtorch is loaded. */
    static final class Lookups {
        private Lookups() {}

        public static void main(String[] args) throws Exception {
            List<URL> path = new ArrayList<>();
            for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
                path.add(Path.of(entry).toUri().toURL());
            }

            try (Counting loader = new Counting(path)) {
                loader.loadClass(Natives.class.getName()).getMethod("load").invoke(null);
                System.out.println("lookups " + loader.asked);
            }
        }

        private static final class Counting extends URLClassLoader {
            private int asked;

            private Counting(List<URL> path) {
                super(path.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
            }

            @Override
            public @Nullable URL getResource(String name) {
                asked++;
                return super.getResource(name);
            }

            @Override
            public Enumeration<URL> getResources(String name) throws IOException {
                asked++;
                return super.getResources(name);
            }
        }
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
