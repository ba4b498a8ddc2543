package org.sparkqlora.weights;

import java.io.Serializable;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.sparkqlora.quant.FourBitTensor;
import org.sparkqlora.quant.QuantSpec;
import org.sparkqlora.quant.Workers;
import org.sparkqlora.weights.safetensors.StoredLayout;
import org.sparkqlora.weights.safetensors.StoredTensor;
import org.sparkqlora.weights.safetensors.TensorSource;
import org.sparkqlora.weights.safetensors.TensorSpec;

/**
 * Weights that share a file of a model in four bits, and where they are read. A value that crosses to executors.
 *
 * @param file name of the file
 * @param pieces the weights
 * @param bytes that they take at most
 */
public record FourBitPart(String file, List<Piece> pieces, long bytes) implements Serializable {
    public FourBitPart {
        pieces = List.copyOf(pieces);
    }

    /**
     * A weight of the original.
     *
     * @param file of the original's folder
     * @param position of the first byte
     * @param isProjection whether it goes to four bits
     * @param layout of its numbers behind the first byte
     */
    public record Piece(TensorSpec spec, String file, long position, boolean isProjection, StoredLayout layout)
            implements Serializable {
        /** Whether something of it is in a file. */
        boolean isIn(String name) {
            return file.equals(name)
                    || layout instanceof StoredLayout.WithScales scaled
                            && scaled.scalesFile().equals(name);
        }
    }

    /**
     * The report of a part that was written.
     *
     * @param weights number of weights in four bits
     * @param quantizedBytes that they take with their scales, tables and states
     * @param errorSum distances of these weights from their originals
     */
    public record Written(long weights, long quantizedBytes, double errorSum) implements Serializable {}

    /** Whether a weight of that name is in the file. */
    public boolean has(String name) {
        return pieces.stream().anyMatch(piece -> piece.spec().name().equals(name));
    }

    /** The weight of that name. */
    public Piece piece(String name) {
        return pieces.stream()
                .filter(piece -> piece.spec().name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("Cannot find weight %s in %s".formatted(name, file)));
    }

    /** Writes the part to {@code target}, reading each weight once, in order. */
    public Written write(TensorSource source, QuantSpec spec, Workers workers, Path target) {
        Cost cost = new Cost(workers);
        new FourBitFile(
                        spec,
                        workers,
                        pieces.stream()
                                .filter(Piece::isProjection)
                                .map(piece -> piece.spec().name())
                                .collect(Collectors.toSet()),
                        ChangedWeights.NONE,
                        cost)
                .write(target, pieces.stream().map(Piece::spec).toList(), source);
        return new Written(cost.weights, cost.bytes, cost.errorSum);
    }

    /** Adds up, and refuses what is not finite: quantised weights are checked on the way. */
    private static final class Cost implements FourBitFile.Watch {
        private final Workers workers;
        private long weights;
        private long bytes;
        private double errorSum;

        Cost(Workers workers) {
            this.workers = workers;
        }

        @Override
        public void written(StoredTensor original, FourBitTensor quantized, long storedBytes) {
            weights += quantized.elements();
            bytes += storedBytes;
            errorSum += QuantizationReport.errorSum(original.asFloats(), quantized, workers);
        }

        @Override
        public void copied(StoredTensor tensor) {
            FiniteCheck.check(tensor, workers);
        }
    }
}
