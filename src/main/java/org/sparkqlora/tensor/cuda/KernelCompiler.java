package org.sparkqlora.tensor.cuda;

/** Makes of a source what a card executes. */
public interface KernelCompiler {
    /** The version and options of the compiler: beside the source and the card, all that decides the result. */
    String identity();

    /**
     * Machine code of a card.
     *
     * @param architecture such as {@code sm_90}
     */
    byte[] cubin(KernelSource source, String architecture);
}
