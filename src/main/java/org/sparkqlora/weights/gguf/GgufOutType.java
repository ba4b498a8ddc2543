package org.sparkqlora.weights.gguf;

import org.sparkqlora.input.OptionChoice;

/** The types of a file's weights, as {@code --outtype} of llama.cpp's converter and {@code llama-quantize} name them. */
public enum GgufOutType implements OptionChoice {
    F32(0, GgufType.F32),
    F16(1, GgufType.F16),
    BF16(32, GgufType.BF16),
    Q8_0(7, GgufType.Q8_0),
    Q4_0(2, GgufType.Q4_0),
    Q4_K_M(15, GgufType.Q4_K);

    private final int fileType;
    private final GgufType mostly;

    GgufOutType(int fileType, GgufType mostly) {
        this.fileType = fileType;
        this.mostly = mostly;
    }

    public static GgufOutType parse(String text) {
        return OptionChoice.parse(values(), text, "Unsupported type '%s': expected one of %s");
    }

    /** The number of {@code general.file_type}. */
    int fileType() {
        return fileType;
    }

    /** The type of most matrices. */
    GgufType mostly() {
        return mostly;
    }

    /** Whether {@code llama-quantize} makes such files, and not the converter. */
    boolean isMixed() {
        return this == Q4_0 || this == Q4_K_M;
    }
}
