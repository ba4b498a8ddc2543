package org.sparkqlora.optim;

import java.nio.ByteBuffer;

/** Pages one after the other in memory of someone else. */
final class BufferPageStore implements PageStore {
    private final ByteBuffer memory;
    private final int[] starts;

    /** @param memory as long as the pages together */
    BufferPageStore(ByteBuffer memory, int[] byteSizes) {
        this.memory = memory;
        this.starts = new int[byteSizes.length + 1];
        for (int page = 0; page < byteSizes.length; page++) {
            starts[page + 1] = starts[page] + byteSizes[page];
        }
    }

    private BufferPageStore(int[] starts, ByteBuffer memory) {
        this.starts = starts;
        this.memory = memory;
    }

    @Override
    public int pages() {
        return starts.length - 1;
    }

    @Override
    public int byteSize(int page) {
        return starts[page + 1] - starts[page];
    }

    @Override
    public void read(int page, byte[] target) {
        memory.get(starts[page], target, 0, byteSize(page));
    }

    @Override
    public void write(int page, byte[] source) {
        memory.put(starts[page], source, 0, byteSize(page));
    }

    @Override
    public PageStore copy() {
        ByteBuffer copied = ByteBuffer.allocate(memory.capacity());
        return new BufferPageStore(starts, copied.put(0, memory, 0, memory.capacity()));
    }

    @Override
    public void close() {
        // memory is its owner's
    }
}
