package org.sparkqlora.tensor.cuda;

/**
 * The process cannot use its GPU any more. An error of the virtual machine, for Spark ends an executor that a task threw one in: a
 * sick GPU takes no other task, and none of this process's could be relied on.
 */
public final class GpuLostError extends InternalError {
    private static final long serialVersionUID = 1L;

    public GpuLostError(String message) {
        super(message);
    }

    public GpuLostError(String message, Throwable cause) {
        super(message, cause);
    }
}
