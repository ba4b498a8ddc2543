package org.sparkqlora.weights.safetensors;

import java.io.Serializable;

/** How the numbers of a tensor lie in the bytes of a file. */
public sealed interface StoredLayout extends Serializable {
    StoredLayout ROWS = new Rows();

    /** Bytes from the first number's to the last's. */
    long extent(TensorSpec spec);

    /** One after the other, rows first. */
    record Rows() implements StoredLayout {
        @Override
        public long extent(TensorSpec spec) {
            return spec.byteSize();
        }
    }

    /** A matrix whose number (row, column) is {@code row rowStep + column columnStep} numbers behind the first. */
    record Strided(long rowStep, long columnStep) implements StoredLayout {
        @Override
        public long extent(TensorSpec spec) {
            long last = (spec.shape()[0] - 1) * rowStep + (spec.shape()[1] - 1) * columnStep;
            return (last + 1) * spec.type().bytes();
        }
    }

    /**
     * A matrix in MXFP4 (OCP Microscaling Formats 1.0): blocks of {@value #BLOCK} numbers of a row, each an E2M1 code of four bits, the first of
     * a byte in its low half, times {@code 2^(scale - 127)}. Of the rows that are stored it has every {@code rowStep}-th.
     *
     * @param scalesFile the name of the file with the scales, a byte a block
     * @param scalesPosition of the first row's first scale
     */
    record Microscaled(String scalesFile, long scalesPosition, int rowStep) implements StoredLayout {
        public static final int BLOCK = 32;

        @Override
        public long extent(TensorSpec spec) {
            return rows(spec) * spec.shape()[1] / 2;
        }

        /** Bytes from the first scale to the last. */
        public long scalesExtent(TensorSpec spec) {
            return rows(spec) * spec.shape()[1] / BLOCK;
        }

        /** Those that are stored from the first to the last. */
        private long rows(TensorSpec spec) {
            return (spec.shape()[0] - 1) * rowStep + 1;
        }
    }
}
