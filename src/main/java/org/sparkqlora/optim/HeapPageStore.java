package org.sparkqlora.optim;

/** Pages in memory. */
final class HeapPageStore implements PageStore {
    private final byte[][] pages;

    HeapPageStore(int[] byteSizes) {
        pages = new byte[byteSizes.length][];
        for (int page = 0; page < pages.length; page++) {
            pages[page] = new byte[byteSizes[page]];
        }
    }

    private HeapPageStore(byte[][] pages) {
        this.pages = pages;
    }

    @Override
    public int pages() {
        return pages.length;
    }

    @Override
    public int byteSize(int page) {
        return pages[page].length;
    }

    @Override
    public void read(int page, byte[] target) {
        System.arraycopy(pages[page], 0, target, 0, pages[page].length);
    }

    @Override
    public void write(int page, byte[] source) {
        System.arraycopy(source, 0, pages[page], 0, pages[page].length);
    }

    @Override
    public PageStore copy() {
        byte[][] copies = new byte[pages.length][];
        for (int page = 0; page < copies.length; page++) {
            copies[page] = pages[page].clone();
        }

        return new HeapPageStore(copies);
    }

    @Override
    public void close() {
        // memory is left to the garbage collector
    }
}
