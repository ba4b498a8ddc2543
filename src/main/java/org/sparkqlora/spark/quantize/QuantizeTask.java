package org.sparkqlora.spark.quantize;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.sparkqlora.checkpoint.QuantizedPart;
import org.sparkqlora.checkpoint.hub.ModelPlace;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.spark.cluster.ScratchFolder;
import org.sparkqlora.spark.quantize.QuantizeJob.PartOutcome;
import org.sparkqlora.storage.DiskRoom;
import org.sparkqlora.storage.FolderFiles;
import org.sparkqlora.storage.LocalFiles;
import org.sparkqlora.storage.ModelCache;
import org.sparkqlora.storage.RangedFetch;
import org.sparkqlora.storage.StorePath;
import org.sparkqlora.storage.TemporaryFolder;
import org.sparkqlora.weights.FourBitPart;
import org.sparkqlora.weights.FourBitPart.Written;
import org.sparkqlora.weights.safetensors.StoredLayout;
import org.sparkqlora.weights.safetensors.StoredTensor;
import org.sparkqlora.weights.safetensors.TensorSource;

/**
 * Reads the weights of one file, quantises them and writes the file, unless an earlier attempt has. Of a model that lies elsewhere it fetches the
 * bytes of these weights alone, one weight at a time. Runs in a task.
 *
 * @param model the original
 * @param cache where a copy of the original is, if it cannot be read in ranges
 * @param folder URI of the folder to write to
 * @param threads of a task
 */
record QuantizeTask(
        ModelPlace model,
        ModelCache cache,
        QuantSpec spec,
        String folder,
        Broadcast<SerializableConfiguration> configuration,
        int threads)
        implements Function<FourBitPart, PartOutcome> {
    @Override
    public PartOutcome call(FourBitPart part) {
        try {
            return new PartOutcome(once(part), null);
        } catch (BadInputException e) {
            return new PartOutcome(null, e.getMessage()); // another attempt would find the same
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to quantise " + part.file(), e);
        }
    }

    private QuantizedPart.Stored once(FourBitPart part) throws IOException {
        Path there = new Path(folder);
        QuantizedPart target = new QuantizedPart(files(there), there, part.file());
        Optional<QuantizedPart.Stored> found = target.find();
        return found.isPresent() ? found.get() : write(part, target);
    }

    private QuantizedPart.Stored write(FourBitPart part, QuantizedPart target) throws IOException {
        try (TemporaryFolder scratch = TemporaryFolder.in(ScratchFolder.ofProcess(), "quantize-");
                Workers workers = new Workers(threads)) {
            java.nio.file.Path file = scratch.path().resolve(part.file());
            Written written = part.write(source(part, scratch.path()), spec, workers, file);
            return target.store(file, written);
        }
    }

    private TensorSource source(FourBitPart part, java.nio.file.Path scratch) {
        model.problem().ifPresent(problem -> {
            throw new BadInputException(problem);
        });
        return model.ranges()
                .<TensorSource>map(ranged -> new FetchedWeights(ranged.files(), scratch, part))
                .orElseGet(() -> new HostWeights(model.folder(cache), part));
    }

    private FileSystem files(Path path) throws IOException {
        return LocalFiles.SCHEME.equals(path.toUri().getScheme())
                ? LocalFiles.system()
                : StorePath.files(path, configuration.value().value());
    }

    /** Weights of a part in a model folder of this host, which need not be read whole for it. */
    private record HostWeights(java.nio.file.Path folder, FourBitPart part) implements TensorSource {
        @Override
        public boolean has(String name) {
            return part.has(name);
        }

        @Override
        public StoredTensor tensor(String name) {
            FourBitPart.Piece piece = part.piece(name);
            return new StoredTensor(folder.resolve(piece.file()), piece.spec(), piece.position(), piece.layout());
        }
    }

    /** Weights of a part that are fetched when they are asked for. The scratch file of one goes when the next is: what is mapped of it stays. */
    private record FetchedWeights(FolderFiles files, java.nio.file.Path scratch, FourBitPart part)
            implements TensorSource {
        private static final String SCALES = "scales";

        @Override
        public boolean has(String name) {
            return part.has(name);
        }

        @Override
        public StoredTensor tensor(String name) {
            FourBitPart.Piece piece = part.piece(name);
            try {
                java.nio.file.Path file =
                        fetch(piece.file(), piece.position(), piece.layout().extent(piece.spec()), "weight");
                return new StoredTensor(file, piece.spec(), 0, local(piece));
            } catch (IOException e) {
                throw new UncheckedIOException(
                        "Failed to fetch weight %s of %s".formatted(name, files.address(piece.file())), e);
            }
        }

        private StoredLayout local(FourBitPart.Piece piece) throws IOException {
            if (!(piece.layout() instanceof StoredLayout.WithScales scaled)) {
                return piece.layout();
            }

            fetch(scaled.scalesFile(), scaled.scalesPosition(), scaled.scalesExtent(piece.spec()), SCALES);
            return scaled.withScalesAt(SCALES, 0);
        }

        private java.nio.file.Path fetch(String from, long position, long bytes, String name) throws IOException {
            java.nio.file.Path file = scratch.resolve(name);
            RangedFetch.forget(file);
            DiskRoom.require(file, bytes);
            new RangedFetch(files).part(from, position, bytes, file);
            return file;
        }
    }
}
