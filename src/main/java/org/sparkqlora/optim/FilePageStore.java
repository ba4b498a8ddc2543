package org.sparkqlora.optim;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/** Pages in a file of their own, which is deleted when the store is closed or the process ends. */
final class FilePageStore implements PageStore {
    private final Path folder;
    private final Path file;
    private final FileChannel channel;
    private final int[] byteSizes;
    private final long[] offsets;

    FilePageStore(Path folder, int[] byteSizes) {
        this.folder = folder;
        this.byteSizes = byteSizes.clone();
        offsets = new long[byteSizes.length + 1];
        for (int page = 0; page < byteSizes.length; page++) {
            offsets[page + 1] = offsets[page] + byteSizes[page];
        }

        file = folder.resolve("optimizer-" + UUID.randomUUID() + ".pages");
        channel = open();
    }

    private FileChannel open() {
        try {
            Files.createDirectories(folder);
            FileChannel opened = FileChannel.open(
                    file,
                    StandardOpenOption.CREATE_NEW,
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE,
                    StandardOpenOption.SPARSE,
                    StandardOpenOption.DELETE_ON_CLOSE);
            opened.write(ByteBuffer.allocate(1), offsets[byteSizes.length]); // what lies before reads as zeros
            return opened;
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to create optimiser pages " + file, e);
        }
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
        ByteBuffer buffer = ByteBuffer.wrap(target, 0, byteSizes[page]);
        try {
            while (buffer.hasRemaining()) {
                if (channel.read(buffer, offsets[page] + buffer.position()) < 0) {
                    throw new EOFException("the file ends before page " + page);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to read optimiser pages " + file, e);
        }
    }

    @Override
    public void write(int page, byte[] source) {
        ByteBuffer buffer = ByteBuffer.wrap(source, 0, byteSizes[page]);
        try {
            while (buffer.hasRemaining()) {
                channel.write(buffer, offsets[page] + buffer.position());
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to write optimiser pages " + file, e);
        }
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
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to delete optimiser pages " + file, e);
        }
    }
}
