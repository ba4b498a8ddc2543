package org.sparkqlora.storage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.ChildJvm;

class UnfinishedTest {
    @TempDir
    private Path folder;

    @Test
    void whatASignalMeetsGoesAndGetsNoName() throws IOException, InterruptedException {
        Path model = Files.createDirectory(folder.resolve("model"));
        Files.writeString(model.resolve("config.json"), "before");
        Path output = folder.resolve("told.txt");

        Process writing = new ProcessBuilder(ChildJvm.command(List.of(), Writing.class, List.of(folder.toString())))
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();

        assertThat(writing.waitFor()).as(Files.readString(output)).isZero();
        assertThat(Files.readAllLines(output)).filteredOn("refused"::equals).hasSize(4);
        assertThat(folder.toFile().list()).containsExactlyInAnyOrder("model", "told.txt");
        assertThat(model.resolve("config.json")).hasContent("before");
    }

    @Test
    void aFileThatGrowsWhileWorkIsDoneGoesWithASignal() throws IOException, InterruptedException {
        Path output = folder.resolve("told.txt");

        Process growing = new ProcessBuilder(ChildJvm.command(List.of(), Growing.class, List.of(folder.toString())))
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();

        assertThat(growing.waitFor()).as(Files.readString(output)).isZero();
        assertThat(folder.toFile().list()).containsExactly("told.txt");
    }

    /** Ends while it writes, as a signal makes it. */
    static final class Growing {
        private Growing() {}

        public static void main(String[] args) throws IOException {
            LocalFiles.replaceBy(Path.of(args[0], "new", "losses.jsonl"), out -> {
                out.write("a line");
                Unfinished.removeAll();
                Runtime.getRuntime().halt(0);
                return 0;
            });
        }
    }

    /** Writes in each way, and goes on to write when the signal has come. */
    static final class Writing {
        private Writing() {}

        public static void main(String[] args) throws IOException {
            Path folder = Path.of(args[0]);
            FileSystem files = LocalFiles.system();
            Unfinished.begin(Writing::walk);
            try (FreshFolder replaced =
                            FreshFolder.begin(files, LocalFiles.path(folder.resolve("model")), name -> true);
                    NewFolder other = NewFolder.begin(folder.resolve("new"));
                    TemporaryFolder beside = TemporaryFolder.beside(folder.resolve("merged"))) {
                replaced.add("config.json", out -> out.write(1));
                Files.writeString(other.path().resolve("file"), "text");
                Files.writeString(beside.path().resolve("file"), "text");
                refused(() -> WholeFile.create(files, LocalFiles.path(folder.resolve("file.gguf")), out -> {
                    out.write(1);
                    Unfinished.removeAll();
                }));
                refused(replaced::commit);
                refused(other::commit);
                refused(() -> TemporaryFolder.beside(folder.resolve("late")));
            }
        }

        /** As one in which somebody else deletes a file. */
        private static void walk() {
            throw new UncheckedIOException(new IOException("a file is gone"));
        }

        private interface Step {
            void run() throws IOException;
        }

        private static void refused(Step step) {
            try {
                step.run();
            } catch (IOException | UncheckedIOException e) {
                System.out.println("refused");
            }
        }
    }
}
