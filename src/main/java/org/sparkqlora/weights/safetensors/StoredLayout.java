package org.sparkqlora.weights.safetensors;

import java.io.Serializable;

/** The layout of a tensor's numbers in the bytes of a file. */
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

    /** One whose numbers have scales, which may lie in another file. */
    sealed interface WithScales extends StoredLayout {
        /** The name of the file with the scales. */
        String scalesFile();

        /** Of the first scale. */
        long scalesPosition();

        /** Bytes from the first scale to the last. */
        long scalesExtent(TensorSpec spec);

        /** The same layout with its scales at another place. */
        WithScales withScalesAt(String file, long position);
    }

    /**
     * A matrix in MXFP4 (OCP Microscaling Formats 1.0): blocks of {@value #BLOCK} numbers of a row, each an E2M1 code of four bits, the first of
     * a byte in its low half, times {@code 2^(scale - 127)}. Of the rows that are stored it has every {@code rowStep}-th.
     *
     * @param scalesFile the name of the file with the scales, a byte a block
     * @param scalesPosition of the first row's first scale
     */
    record Microscaled(String scalesFile, long scalesPosition, int rowStep) implements WithScales {
        public static final int BLOCK = 32;

        @Override
        public long extent(TensorSpec spec) {
            return rows(spec) * spec.shape()[1] / 2;
        }

        @Override
        public long scalesExtent(TensorSpec spec) {
            return rows(spec) * spec.shape()[1] / BLOCK;
        }

        @Override
        public Microscaled withScalesAt(String file, long position) {
            return new Microscaled(file, position, rowStep);
        }

        /** Those that are stored from the first to the last. */
        private long rows(TensorSpec spec) {
            return (spec.shape()[0] - 1) * rowStep + 1;
        }
    }

    /**
     * A matrix in FP8: bytes of E4M3 without infinities, each times the scale of its block, rounded to bfloat16 as transformers does where it
     * dequantises. The blocks divide the matrix evenly.
     *
     * @param scalesFile the name of the file with the scales, rows of blocks first
     * @param scaleType of the scales
     * @param blockRows rows of the matrix a block
     * @param blockColumns columns of the matrix a block
     */
    record Float8(String scalesFile, long scalesPosition, StoredType scaleType, int blockRows, int blockColumns)
            implements WithScales {
        @Override
        public long extent(TensorSpec spec) {
            return spec.elements();
        }

        @Override
        public long scalesExtent(TensorSpec spec) {
            return spec.elements() / blockRows / blockColumns * scaleType.bytes();
        }

        @Override
        public Float8 withScalesAt(String file, long position) {
            return new Float8(file, position, scaleType, blockRows, blockColumns);
        }
    }
}
