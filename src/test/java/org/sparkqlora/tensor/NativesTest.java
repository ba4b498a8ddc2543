package org.sparkqlora.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativesTest {
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
