package org.sparkqlora.weights.safetensors;

import java.util.Arrays;

/**
 * Element types of safetensors, in the order of that library, which lays tensors out from the last type to the first so
 * that each is aligned.
 */
public enum StoredType {
    BOOL(1, "bool"),
    U8(1, "uint8"),
    I8(1, "int8"),
    F8_E5M2(1, "float8_e5m2"),
    F8_E4M3(1, "float8_e4m3fn"),
    I16(2, "int16"),
    U16(2, "uint16"),
    F16(2, "float16"),
    BF16(2, "bfloat16"),
    I32(4, "int32"),
    U32(4, "uint32"),
    F32(4, "float32"),
    F64(8, "float64"),
    I64(8, "int64"),
    U64(8, "uint64");

    private final int bytes;
    private final String torchName;

    StoredType(int bytes, String torchName) {
        this.bytes = bytes;
        this.torchName = torchName;
    }

    /** The type that PyTorch calls {@code name}. */
    public static StoredType ofTorchName(String name) {
        return Arrays.stream(values())
                .filter(type -> type.torchName.equals(name))
                .findFirst()
                .orElseThrow(() -> new InvalidWeightsException(
                        "Unsupported element type '%s': expected float32, float16 or bfloat16".formatted(name)));
    }

    /** Bytes an element. */
    public int bytes() {
        return bytes;
    }

    /** Whether it holds floating-point numbers that this program reads. */
    public boolean isFloat() {
        return this == F16 || this == BF16 || this == F32 || this == F64;
    }

    /** PyTorch's name of the type, as written to {@code config.json} and quantisation states. */
    public String torchName() {
        return torchName;
    }
}
