package org.sparkqlora.optim;

/**
 * Keeps pages of bytes, all zero at the start. Different pages may be read and written concurrently.
 */
interface PageStore extends AutoCloseable {
    int pages();

    /** Bytes in a page. */
    int byteSize(int page);

    /** Fills the start of {@code target} with the page. */
    void read(int page, byte[] target);

    /** Replaces the page by the start of {@code source}. */
    void write(int page, byte[] source);

    /** An independent store of the same kind with the same bytes. */
    PageStore copy();

    @Override
    void close();

    /** Opens a store for pages of these sizes. */
    @FunctionalInterface
    interface Factory {
        PageStore open(int[] byteSizes);
    }
}
