package org.sparkqlora.tensor.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** CUDA source of kernels that compute what code of ours computes on a processor, to the bit. */
public enum KernelSource {
    /** Of the package quant: 4-bit codes to numbers. */
    DEQUANTIZE("dequantize.cu"),
    /** Of the package optim: a step of AdamW on a page. */
    ADAMW("adamw.cu");

    private final String file;

    KernelSource(String file) {
        this.file = file;
    }

    /** Name of the file that the text is in. */
    public String file() {
        return file;
    }

    public String text() {
        try (InputStream stream = KernelSource.class.getResourceAsStream(file)) {
            if (stream == null) {
                throw new IllegalStateException("Cannot find %s in this jar".formatted(file));
            }

            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read %s in this jar".formatted(file), e);
        }
    }
}
