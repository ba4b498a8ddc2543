package org.sparkqlora.spark.quantize;

import java.nio.file.Path;
import org.sparkqlora.weights.FourBitPart;
import org.sparkqlora.weights.safetensors.StoredTensor;
import org.sparkqlora.weights.safetensors.TensorSource;

/** Weights of a part in a model folder of this host, which need not be read whole for it. */
record HostWeights(Path folder, FourBitPart part) implements TensorSource {
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
