package org.sparkqlora.checkpoint;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.sparkqlora.checkpoint.PublishedFiles.Quantized;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.storage.Removal;
import org.sparkqlora.storage.StorePath;
import org.sparkqlora.storage.StoredFile;
import org.sparkqlora.storage.WholeFile;
import org.sparkqlora.weights.FourBitPart;
import org.sparkqlora.weights.FourBitPlan;
import org.sparkqlora.weights.QuantizationReport;
import org.sparkqlora.weights.family.ModelConfigJson;
import org.sparkqlora.weights.safetensors.SafetensorsLayout;
import org.sparkqlora.weights.safetensors.ShardIndexJson;
import org.sparkqlora.weights.safetensors.TensorSpec;

/**
 * The folder of a model in four bits whose files of weights are written by tasks. {@value #BEGUN} comes first and says of what it is made, so that
 * the same command goes on; {@code config.json} comes late, so that nobody takes what is not whole for a model; {@code published.json}, with
 * the hash of every file, comes last. Driver only.
 *
 * @param id equal for equal models and formats only
 */
public record QuantizedFolder(FileSystem files, Path path, String id) {
    static final String BEGUN = "quantize.json";

    /** Whether {@code quantize} has begun or finished a folder at {@code path}, of whatever model, or nothing is there yet. */
    public static boolean isOurs(FileSystem files, Path path) throws IOException {
        List<String> names = StorePath.names(files, path);
        boolean begun = names.contains(BEGUN) || names.stream().allMatch(QuantizedFolder::isBeginning);
        return begun
                || PublishedFiles.find(files, path)
                        .map(PublishedFiles::quantized)
                        .isPresent();
    }

    /** Whether this model may be written here: nothing is there, or it was begun. */
    public boolean isFree() throws IOException {
        List<String> names = StorePath.names(files, path);
        return names.stream().allMatch(QuantizedFolder::isBeginning)
                || names.contains(BEGUN)
                        && QuantizedBegunJson.read(files, begun()).equals(id);
    }

    /** The report of this very model, if it was finished here. What is left of the work goes. */
    public Optional<PublishedFiles> finished(FourBitPlan plan) throws IOException {
        Optional<PublishedFiles> found = PublishedFiles.find(files, path)
                .filter(published -> published.quantized() != null
                        && published.quantized().plan().equals(id));
        if (found.isPresent()) {
            requireLengths(found.get().files());
            sweep(plan);
        }

        return found;
    }

    /** Begins the folder, or goes on with it; the store must have room for what is missing. */
    public void begin(FourBitPlan plan) throws IOException {
        if (!isFree()) {
            throw new BadInputException(
                    "Cannot write %s: expected a new folder, or one that this command began with the same model and options, found another. Choose another folder"
                            .formatted(path));
        }

        files.mkdirs(path);
        requireRoom(plan);
        byte[] text = QuantizedBegunJson.write(id).getBytes(StandardCharsets.UTF_8);
        SameFile.create(files, path, StoredFile.of(BEGUN, text), out -> out.write(text));
    }

    /**
     * Ends the folder, whose parts are all written.
     *
     * @param small a folder on this host with the config and the files of the tokenizer
     */
    public PublishedFiles commit(
            FourBitPlan plan, List<QuantizedPart.Stored> parts, java.nio.file.Path small, long bytesBefore)
            throws IOException {
        List<StoredFile> content =
                new ArrayList<>(parts.stream().map(QuantizedPart.Stored::file).toList());
        requireShared(content);
        long bytesAfter = content.stream().mapToLong(StoredFile::bytes).sum();
        if (parts.size() > 1) {
            content.add(addIndex(content));
        }

        for (java.nio.file.Path file : configLast(small)) {
            StoredFile stored = new StoredFile(file.getFileName().toString(), Files.size(file), StoredFile.hash(file));
            SameFile.create(files, path, stored, out -> Files.copy(file, out));
            content.add(stored);
        }

        content.sort(Comparator.comparing(StoredFile::name));
        QuantizationReport report = QuantizationReport.of(
                parts.stream().map(QuantizedPart.Stored::written).toList(), bytesBefore, bytesAfter);
        Quantized quantized = new Quantized(id, report);
        byte[] text = PublishedJson.write(content, quantized).getBytes(StandardCharsets.UTF_8);
        SameFile.create(files, path, StoredFile.of(PublishedFolder.COMMIT, text), out -> out.write(text));
        sweep(plan);
        return new PublishedFiles(content, quantized);
    }

    private static List<java.nio.file.Path> configLast(java.nio.file.Path small) throws IOException {
        try (Stream<java.nio.file.Path> found = Files.list(small)) {
            return found.sorted(
                            Comparator.comparing((java.nio.file.Path file) -> file.endsWith(ModelConfigJson.FILE_NAME))
                                    .thenComparing(file -> file))
                    .toList();
        }
    }

    private StoredFile addIndex(List<StoredFile> weights) throws IOException {
        SortedMap<String, List<TensorSpec>> shards = new TreeMap<>();
        for (StoredFile file : weights) {
            Path there = new Path(path, file.name());
            try (InputStream in = new BufferedInputStream(files.open(there))) {
                shards.put(
                        file.name(),
                        SafetensorsLayout.read(there.toString(), in, file.bytes())
                                .tensors());
            }
        }

        byte[] text = ShardIndexJson.write(shards).getBytes(StandardCharsets.UTF_8);
        StoredFile index = StoredFile.of(FullModelFolder.INDEX_FILE, text);
        SameFile.create(files, path, index, out -> out.write(text));
        return index;
    }

    /** Notes of parts, and what killed processes had begun under names of their own. */
    private void sweep(FourBitPlan plan) throws IOException {
        Removal.filesIn(
                files,
                path,
                name -> name.equals(BEGUN)
                        || isUnfinished(name)
                        || plan.parts().stream()
                                .anyMatch(part -> !name.equals(part.file()) && QuantizedPart.isOf(part.file(), name)));
    }

    private static boolean isUnfinished(String name) {
        return WholeFile.targetOf(name)
                .filter(begun -> begun.equals(BEGUN) || FullModelFolder.isPart(begun))
                .isPresent();
    }

    private static boolean isBeginning(String name) {
        return WholeFile.targetOf(name).filter(BEGUN::equals).isPresent();
    }

    /** On a disk of an executor's host the driver finds none. */
    private void requireShared(List<StoredFile> written) throws IOException {
        Map<String, Long> found = lengths();
        for (StoredFile file : written) {
            if (!found.containsKey(file.name())) {
                throw new BadInputException(
                        "Cannot finish %s: expected %s, which a task has written, found none. Name a folder that all hosts share, or one on a Hadoop file system"
                                .formatted(path, file.name()));
            }
        }
    }

    private void requireLengths(List<StoredFile> expected) throws IOException {
        Map<String, Long> found = lengths();
        for (StoredFile file : expected) {
            Long length = found.get(file.name());
            if (length == null || length != file.bytes()) {
                throw new BadInputException(
                        "Cannot take %s for finished: expected %s of %d bytes as published.json says, found %s. Delete the folder; the same command then writes it again"
                                .formatted(
                                        path, file.name(), file.bytes(), length == null ? "none" : length + " bytes"));
            }
        }
    }

    private void requireRoom(FourBitPlan plan) throws IOException {
        Map<String, Long> there = lengths();
        long missing = plan.parts().stream()
                .filter(part -> !there.containsKey(part.file()))
                .mapToLong(FourBitPart::bytes)
                .sum();
        long copies = files.getDefaultReplication(path);
        long free = files.getStatus(path).getRemaining();
        if (free / Math.max(1, copies) < missing) {
            throw new IOException(String.format(
                    Locale.ROOT,
                    "Cannot write %.1f GB to %s: expected as much free there, found %.1f GB for %d copies of each file. Free some, or choose another folder",
                    missing / 1e9,
                    path,
                    free / 1e9,
                    copies));
        }
    }

    private Path begun() {
        return new Path(path, BEGUN);
    }

    private Map<String, Long> lengths() throws IOException {
        return Arrays.stream(files.listStatus(path))
                .collect(Collectors.toMap(file -> file.getPath().getName(), FileStatus::getLen));
    }
}
