package org.sparkqlora.tensor.cuda;

/** Makes of a source what a card executes. */
public interface KernelCompiler {
    /** What decides the result beside the source and the card: version and options. */
    String identity();

    /**
     * What a card executes.
     *
     * @param architecture such as {@code sm_90}
     */
    byte[] cubin(KernelSource source, String architecture);
}
