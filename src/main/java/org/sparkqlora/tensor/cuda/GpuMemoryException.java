package org.sparkqlora.tensor.cuda;

/** A GPU has no room for what was asked for. What was there before stays usable. */
public final class GpuMemoryException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public GpuMemoryException(String message) {
        super(message);
    }

    public GpuMemoryException(String message, Throwable cause) {
        super(message, cause);
    }
}
