package org.sparkqlora.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sparkqlora.ChildJvm;
import org.sparkqlora.quant.FourBitCode;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;
import org.sparkqlora.weights.safetensors.ModelFolders;
import org.sparkqlora.weights.safetensors.SafetensorsFile;
import org.sparkqlora.weights.safetensors.TensorSpec;

class QuantizedCacheTest {
    private final Workers workers = new Workers(1);

    @TempDir
    private Path temporary;

    @AfterEach
    void stopWorkers() {
        workers.close();
    }

    @Test
    void writesOnceAndFindsAgain() throws IOException {
        WeightFolder first = open(source());
        FileTime written = Files.getLastModifiedTime(first.path());
        WeightFolder second = open(source());

        assertThat(second.path()).isEqualTo(first.path());
        assertThat(Files.getLastModifiedTime(second.path())).isEqualTo(written);
        assertThat(second.quantized()).isTrue();
    }

    @Test
    void givesA4BitModelItself() {
        WeightFolder quantized = open(source());

        assertThat(open(quantized)).isSameAs(quantized);
    }

    @Test
    void keepsCopiesOfDifferentSourcesAndSpecsApart() throws IOException {
        Path changed = Goldens.copyBase("llama-tied", temporary.resolve("changed"));
        Path original = Goldens.copyBase("llama-tied", temporary.resolve("original"));
        WeightFolder ofOriginal = open(WeightFolder.open(original));
        Path file = changed.resolve("model.safetensors");
        TensorSpec embedding =
                SafetensorsFile.open(file).tensor(DecoderTensors.EMBEDDING).spec();
        ModelFolders.replace(changed, embedding, new byte[(int) embedding.byteSize()]);
        Files.setLastModifiedTime(file, Files.getLastModifiedTime(original.resolve("model.safetensors")));

        WeightFolder ofChanged = open(WeightFolder.open(changed));
        WeightFolder withoutNesting =
                cache().open(WeightFolder.open(original), new QuantSpec(FourBitCode.NF4, 64, false), workers);

        assertThat(List.of(ofOriginal.path(), ofChanged.path(), withoutNesting.path()))
                .doesNotHaveDuplicates();
    }

    @Test
    void neverUsesWhatAKilledProcessLeftAndRemovesIt() throws IOException {
        Path whole = open(source()).path();
        Path left = whole.resolveSibling(whole.getFileName() + ".tmp-" + UUID.randomUUID());
        Files.move(whole, left);
        Files.delete(left.resolve("config.json"));
        Files.write(left.resolve("model.safetensors"), new byte[100]);

        WeightFolder again = open(source());

        again.checkShapes();
        assertThat(again.path()).isEqualTo(whole);
        assertThat(left).doesNotExist();
    }

    @Test
    void writesOnceWhenThreadsAskAtTheSameTime() throws Exception {
        List<Path> folders = new ArrayList<>();
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<WeightFolder>> opened = Stream.generate(() -> threads.submit(() -> open(source())))
                    .limit(4)
                    .toList();
            for (Future<WeightFolder> folder : opened) {
                folders.add(folder.get().path());
            }
        } finally {
            threads.shutdown();
        }

        assertThat(folders).hasSize(4).containsOnly(folders.get(0));
        assertThat(names(temporary.resolve("cache"))).hasSize(2); // the folder and its lock
    }

    @Test
    void writesOnceWhenProcessesAskAtTheSameTime() throws Exception {
        List<Process> processes = List.of(child(), child());
        List<String> folders = new ArrayList<>();
        for (Process process : processes) {
            folders.add(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip());
            assertThat(process.waitFor()).isZero();
        }

        assertThat(folders.get(0)).isNotEmpty().isEqualTo(folders.get(1));
        WeightFolder.open(Path.of(folders.get(0))).checkShapes();
        assertThat(names(temporary.resolve("cache"))).hasSize(2);
    }

    @Test
    void waitsForTheProcessThatWrites() throws Exception {
        Path folder = open(source()).path();
        Path lockFile = folder.resolveSibling(folder.getFileName() + ".lock");
        Path elsewhere = Files.move(folder, temporary.resolve("elsewhere"));
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.WRITE)) {
            FileLock lock = channel.lock();
            Future<WeightFolder> waiting = thread.submit(() -> open(source()));
            assertThatThrownBy(() -> waiting.get(200, TimeUnit.MILLISECONDS))
                    .isInstanceOf(TimeoutException.class)
                    .hasMessage(null);
            Files.move(elsewhere, folder);
            FileTime written = Files.getLastModifiedTime(folder);
            lock.release();

            assertThat(waiting.get().path()).isEqualTo(folder);
            assertThat(Files.getLastModifiedTime(folder)).isEqualTo(written);
        } finally {
            thread.shutdown();
        }
    }

    @Test
    void stopsWaitingWhenItIsInterrupted() throws Exception {
        Path folder = open(source()).path();
        Path lockFile = folder.resolveSibling(folder.getFileName() + ".lock");
        Files.move(folder, temporary.resolve("elsewhere"));
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.WRITE)) {
            channel.lock();
            Future<WeightFolder> waiting = thread.submit(() -> open(source()));
            Thread.sleep(200);
            thread.shutdownNow();
            assertThatThrownBy(waiting::get)
                    .isInstanceOf(ExecutionException.class)
                    .cause()
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessage("Failed to lock %s", lockFile);
        }
    }

    @Test
    void saysWhatToDoWithADamagedCopy() throws IOException {
        Path folder = open(source()).path();
        Files.write(folder.resolve("model.safetensors"), new byte[3]);

        assertThatThrownBy(() -> open(source()))
                .isInstanceOf(InvalidWeightsException.class)
                .hasMessage(
                        "Cannot use the quantised cache %s: it was damaged after it was written. Delete that folder; it is then written again. Cannot read %s: expected a header length in the first 8 bytes, found a file of 3 bytes",
                        folder, folder.resolve("model.safetensors"));
    }

    @Test
    void saysWhereTheCacheCouldNotBeMade() throws IOException {
        Path file = Files.createFile(temporary.resolve("file"));

        assertThatThrownBy(() -> new QuantizedCache(file).open(source(), QuantSpec.DEFAULT, workers))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessage("Failed to create the quantised cache %s", file);
    }

    private static WeightFolder source() {
        return WeightFolder.open(Goldens.base("llama-tied"));
    }

    private QuantizedCache cache() {
        return new QuantizedCache(temporary.resolve("cache"));
    }

    private WeightFolder open(WeightFolder source) {
        return cache().open(source, QuantSpec.DEFAULT, workers);
    }

    private Process child() throws IOException {
        List<String> arguments = List.of(
                Goldens.base("llama-tied").toString(),
                temporary.resolve("cache").toString());
        return new ProcessBuilder(ChildJvm.command(List.of(), OpenCache.class, arguments))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(path -> path.getFileName().toString()).toList();
        }
    }

    /** A process that opens a model through a cache and prints the copy's folder. */
    static final class OpenCache {
        private OpenCache() {}

        public static void main(String[] arguments) {
            try (WeightFolder source = WeightFolder.open(Path.of(arguments[0]));
                    Workers workers = new Workers(1)) {
                System.out.println(new QuantizedCache(Path.of(arguments[1]))
                        .open(source, QuantSpec.DEFAULT, workers)
                        .path());
            }
        }
    }
}
