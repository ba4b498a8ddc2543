package org.sparkqlora.optim;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.sparkqlora.tensor.ScratchFile;

/** Pages in a file of their own, which is gone when the store is closed or the process ends. */
final class FilePageStore implements PageStore {
    private final Path folder;
    private final ScratchFile file;
    private final int[] byteSizes;
    private final long[] offsets;

    FilePageStore(Path folder, int[] byteSizes) {
        this.folder = folder;
        this.byteSizes = byteSizes.clone();
        offsets = new long[byteSizes.length + 1];
        for (int page = 0; page < byteSizes.length; page++) {
            offsets[page + 1] = offsets[page] + byteSizes[page];
        }

        file = ScratchFile.create(folder, "optimizer-pages", offsets[byteSizes.length]);
    }

    @Override
    public int pages() {
        return byteSizes.length;
    }

    @Override
    public int byteSize(int page) {
        return byteSizes[page];
    }

    @Override
    public void read(int page, byte[] target) {
        file.read(offsets[page], ByteBuffer.wrap(target, 0, byteSizes[page]));
    }

    @Override
    public void write(int page, byte[] source) {
        file.write(offsets[page], ByteBuffer.wrap(source, 0, byteSizes[page]));
    }

    @Override
    public PageStore copy() {
        FilePageStore copy = new FilePageStore(folder, byteSizes);
        for (int page = 0; page < byteSizes.length; page++) {
            byte[] bytes = new byte[byteSizes[page]];
            read(page, bytes);
            copy.write(page, bytes);
        }

        return copy;
    }

    @Override
    public void close() {
        file.close();
    }
}
