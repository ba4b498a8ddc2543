package org.sparkqlora.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.util.Progressable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WholeFileTest {
    private static final int MINUTES = 5;

    @TempDir
    private Path folder;

    @Test
    void twoWritersOfOneFileBothEndWell() throws Exception {
        String one = "one".repeat(1000);
        String other = "other".repeat(1000);
        Path target = folder.resolve("manifest.json");
        TwoWriters files = TwoWriters.open();

        together(() -> replace(files, target, one), () -> replace(files, target, other));

        assertThat(Files.readString(target)).isIn(one, other);
        assertThat(files.begun)
                .hasSize(2)
                .allSatisfy(name -> assertThat(WholeFile.targetOf(name)).contains("manifest.json"));
        assertThat(folder.toFile().list()).containsExactly("manifest.json");
    }

    @Test
    void twoWritersOfEqualRowsBothFindThem() throws Exception {
        Path target = folder.resolve("rows.bin");
        TwoWriters files = TwoWriters.open();

        together(() -> write(files, target), () -> write(files, target));

        assertThat(target).hasContent("rows");
        assertThat(files.begun).hasSize(2);
        assertThat(folder.toFile().list()).containsExactly("rows.bin");
    }

    /** File systems are kept for the whole process, with the settings of whoever opened them first. */
    @Test
    void aFileSystemThatSomebodyWithAnotherDefaultOpenedIsWrittenItself() throws IOException {
        Configuration others = new Configuration();
        others.set(FileSystem.FS_DEFAULT_NAME_KEY, "hdfs://127.0.0.1:1");
        Path target = Files.writeString(folder.resolve("report.json"), "before");

        try (FileSystem files = FileSystem.newInstanceLocal(others)) {
            WholeFile.replace(
                    files, new org.apache.hadoop.fs.Path(target.toString()), "after".getBytes(StandardCharsets.UTF_8));
        }

        assertThat(target).hasContent("after");
    }

    /** Hive's jar, which Spark brings, registers such a file system for file: where it comes behind Hadoop's. */
    @Test
    void aFileIsReplacedWhereHiveHasTheLocalDisk() throws IOException {
        Path target = Files.writeString(folder.resolve("report.txt"), "before");
        Configuration hive = new Configuration() {
            @Override
            public Class<?> getClass(String name, Class<?> otherwise) {
                return name.equals("fs.file.impl") ? KeepingFiles.class : super.getClass(name, otherwise);
            }
        };
        hive.setBoolean("fs.file.impl.disable.cache", true);

        replace(StorePath.files(LocalFiles.path(target), hive), target, "after");

        assertThat(target).hasContent("after");
    }

    @Test
    void whatKilledProcessesLeftGoesAfterADay() throws IOException {
        Path old = Files.writeString(folder.resolve(".model.gguf." + UUID.randomUUID()), "a part");
        Path other = Files.writeString(folder.resolve(".other.gguf." + UUID.randomUUID()), "a part");
        Path growing = Files.writeString(folder.resolve(".model.gguf." + UUID.randomUUID()), "a part");
        for (Path each : List.of(old, other)) {
            Files.setLastModifiedTime(each, FileTime.from(Instant.now().minus(Duration.ofDays(2))));
        }

        WholeFile.sweepAbandoned(LocalFiles.system(), LocalFiles.path(folder.resolve("model.gguf")));

        assertThat(old).doesNotExist();
        assertThat(List.of(other, growing)).allSatisfy(each -> assertThat(each).exists());
    }

    private static Path replace(FileSystem files, Path target, String text) throws IOException {
        WholeFile.replace(files, LocalFiles.path(target), text.getBytes(StandardCharsets.UTF_8));
        return target;
    }

    private static Path write(FileSystem files, Path target) throws IOException {
        org.apache.hadoop.fs.Path fresh = WholeFile.unfinished(LocalFiles.path(target));
        StoredFile.write(files, fresh, out -> out.write("rows".getBytes(StandardCharsets.UTF_8)));
        WholeFile.giveName(files, fresh, LocalFiles.path(target));
        return target;
    }

    @Test
    void aFolderOfThatNameStaysAsItIs() throws IOException {
        Path taken = Files.createDirectory(folder.resolve("taken"));
        org.apache.hadoop.fs.Path target = LocalFiles.path(taken);
        for (FileSystem files : List.of(LocalFiles.system(), StorePath.files(target, new Configuration()))) {
            assertThatThrownBy(() -> WholeFile.replace(files, target, new byte[] {1}))
                    .isInstanceOf(IOException.class)
                    .hasMessageStartingWith("Failed to rename ")
                    .hasMessageEndingWith(" to taken");
        }

        assertThat(folder).isDirectoryContaining(taken::equals).isDirectoryNotContaining("glob:**/.taken*");
        assertThat(taken).isEmptyDirectory();
    }

    @Test
    void anObjectOfAStoreIsWholeOrStaysAsItWas() throws IOException {
        FileSystem store = ObjectFiles.open();
        Path model = folder.resolve("model.gguf");
        BlobWriter broken = out -> {
            out.write("half".repeat(100_000).getBytes(StandardCharsets.UTF_8));
            throw new IllegalStateException("a weight is gone");
        };

        assertThatThrownBy(() -> WholeFile.create(store, LocalFiles.path(model), broken))
                .hasMessage("a weight is gone");
        assertThat(model).doesNotExist();

        replace(store, model, "before");
        assertThatThrownBy(() -> WholeFile.replace(store, LocalFiles.path(model), broken))
                .hasMessage("a weight is gone");
        assertThat(model).hasContent("before");
    }

    private static void together(Callable<Path> one, Callable<Path> other) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try {
            for (Future<Path> each : threads.invokeAll(List.of(one, other))) {
                assertThat(each.get()).exists();
            }
        } finally {
            threads.shutdownNow();
        }
    }

    /** As Hive's: a file that is there stays. */
    public static final class KeepingFiles extends LocalFileSystem {
        @Override
        public boolean rename(org.apache.hadoop.fs.Path from, org.apache.hadoop.fs.Path to) throws IOException {
            return !exists(to) && super.rename(from, to);
        }
    }

    /** The local disk for two writers, each of which has begun a file before either goes on. */
    private static final class TwoWriters extends RawLocalFileSystem {
        private final Set<String> begun = ConcurrentHashMap.newKeySet();
        private final CyclicBarrier both = new CyclicBarrier(2);

        private static TwoWriters open() throws IOException {
            TwoWriters files = new TwoWriters();
            files.initialize(URI.create("file:///"), new Configuration());
            return files;
        }

        @Override
        public FSDataOutputStream create(
                org.apache.hadoop.fs.Path file,
                boolean overwrite,
                int bufferSize,
                short replication,
                long blockSize,
                Progressable progress)
                throws IOException {
            FSDataOutputStream out = super.create(file, overwrite, bufferSize, replication, blockSize, progress);
            begun.add(file.getName());
            try {
                both.await(MINUTES, TimeUnit.MINUTES);
            } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
                throw new IOException("Failed to wait for the other writer", e);
            }

            return out;
        }
    }
}
