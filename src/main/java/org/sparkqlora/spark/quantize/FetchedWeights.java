package org.sparkqlora.spark.quantize;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import org.sparkqlora.storage.DiskRoom;
import org.sparkqlora.storage.FolderFiles;
import org.sparkqlora.storage.RangedFetch;
import org.sparkqlora.weights.FourBitPart;
import org.sparkqlora.weights.safetensors.StoredTensor;
import org.sparkqlora.weights.safetensors.TensorSource;

/** Weights of a part that are fetched when they are asked for. The scratch file of one goes when the next is: what is mapped of it stays. */
record FetchedWeights(FolderFiles files, Path scratch, FourBitPart part) implements TensorSource {
    @Override
    public boolean has(String name) {
        return part.has(name);
    }

    @Override
    public StoredTensor tensor(String name) {
        FourBitPart.Piece piece = part.piece(name);
        Path file = scratch.resolve("weight");
        try {
            RangedFetch.forget(file);
            DiskRoom.require(file, piece.spec().byteSize());
            new RangedFetch(files)
                    .part(piece.file(), piece.position(), piece.spec().byteSize(), file);
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "Failed to fetch weight %s of %s".formatted(name, files.address(piece.file())), e);
        }

        return new StoredTensor(file, piece.spec(), 0);
    }
}
