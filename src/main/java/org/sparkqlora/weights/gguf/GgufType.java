package org.sparkqlora.weights.gguf;

import java.util.Arrays;
import java.util.Optional;

/** Element types of GGUF tensors: blocks of numbers that share their scales. */
enum GgufType {
    F32(0, 1, 4),
    F16(1, 1, 2),
    Q4_0(2, 32, 18),
    Q4_1(3, 32, 20),
    Q5_0(6, 32, 22),
    Q5_1(7, 32, 24),
    Q8_0(8, 32, 34),
    Q2_K(10, 256, 84),
    Q3_K(11, 256, 110),
    Q4_K(12, 256, 144),
    Q5_K(13, 256, 176),
    Q6_K(14, 256, 210),
    BF16(30, 1, 2);

    private final int code;
    private final int blockSize;
    private final int blockBytes;

    GgufType(int code, int blockSize, int blockBytes) {
        this.code = code;
        this.blockSize = blockSize;
        this.blockBytes = blockBytes;
    }

    /** The type that files call {@code code}, if it is known here. */
    static Optional<GgufType> of(int code) {
        return Arrays.stream(values()).filter(type -> type.code == code).findFirst();
    }

    /** Its number in files. */
    int code() {
        return code;
    }

    /** Numbers a block. */
    int blockSize() {
        return blockSize;
    }

    /** Bytes a block. */
    int blockBytes() {
        return blockBytes;
    }
}
