package org.sparkqlora.spark.quantize;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import org.sparkqlora.storage.DiskRoom;
import org.sparkqlora.storage.FolderFiles;
import org.sparkqlora.storage.RangedFetch;
import org.sparkqlora.weights.FourBitPart;
import org.sparkqlora.weights.safetensors.StoredLayout;
import org.sparkqlora.weights.safetensors.StoredTensor;
import org.sparkqlora.weights.safetensors.TensorSource;

/** Weights of a part that are fetched when they are asked for. The scratch file of one goes when the next is: what is mapped of it stays. */
record FetchedWeights(FolderFiles files, Path scratch, FourBitPart part) implements TensorSource {
    private static final String SCALES = "scales";

    @Override
    public boolean has(String name) {
        return part.has(name);
    }

    @Override
    public StoredTensor tensor(String name) {
        FourBitPart.Piece piece = part.piece(name);
        try {
            Path file = fetch(piece.file(), piece.position(), piece.layout().extent(piece.spec()), "weight");
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

    private Path fetch(String from, long position, long bytes, String name) throws IOException {
        Path file = scratch.resolve(name);
        RangedFetch.forget(file);
        DiskRoom.require(file, bytes);
        new RangedFetch(files).part(from, position, bytes, file);
        return file;
    }
}
