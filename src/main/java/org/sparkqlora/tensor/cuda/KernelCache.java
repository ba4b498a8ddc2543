package org.sparkqlora.tensor.cuda;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import org.bytedeco.javacpp.Loader;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sparkqlora.storage.LocalFiles;
import org.sparkqlora.storage.Sha256;

/**
 * Compiled kernels in a folder of this host, a file for each source, card and compiler, for every process to find. A file begins with the SHA-256
 * of what follows it: one that is damaged is compiled anew. Safe for use by several threads and processes.
 *
 * @param folder made when it is first needed
 */
public record KernelCache(Path folder, KernelCompiler compiler) implements KernelCompiler {
    private static final Logger LOG = LoggerFactory.getLogger(KernelCache.class);
    private static final String FOLDER = "spark-qlora-kernels";
    private static final int HASH_BYTES = 32;
    private static final int KEY_BYTES = 8;

    /** In JavaCPP's cache, beside the libraries that come from the same jar. */
    static KernelCache ofHost(KernelCompiler compiler) {
        try {
            return new KernelCache(Loader.getCacheDir().toPath().resolve(FOLDER), compiler);
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "Failed to find JavaCPP's cache. Set org.bytedeco.javacpp.cachedir to a folder that can be written.",
                    e);
        }
    }

    @Override
    public String identity() {
        return compiler.identity();
    }

    /** From the file if it is there and whole; otherwise compiled, and kept if the folder can be written. */
    @Override
    public byte[] cubin(KernelSource source, String architecture) {
        Path file = file(source, architecture);
        return read(file).orElseGet(() -> {
            byte[] image = compiler.cubin(source, architecture);
            keep(file, image);
            return image;
        });
    }

    /** Named by all that decides what is in it. */
    Path file(KernelSource source, String architecture) {
        byte[] key = Sha256.of((identity() + "\n" + source.text()).getBytes(StandardCharsets.UTF_8));
        return folder.resolve("%s-%s-%s.cubin"
                .formatted(source.file(), architecture, HexFormat.of().formatHex(key, 0, KEY_BYTES)));
    }

    private static Optional<byte[]> read(Path file) {
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }

        try {
            byte[] content = Files.readAllBytes(file);
            byte[] image = Arrays.copyOfRange(content, Math.min(HASH_BYTES, content.length), content.length);
            if (Arrays.equals(Sha256.of(image), Arrays.copyOf(content, HASH_BYTES))) {
                return Optional.of(image);
            }

            LOG.warn("Compiling anew what {} should hold, which was damaged after it was written", file);
        } catch (IOException e) {
            LOG.warn("Compiling anew what {} should hold, which cannot be read", file, e);
        }

        return Optional.empty();
    }

    /** Under another name first, so that no process ever sees a part. A folder that cannot be written costs each process a second, no more. */
    private void keep(Path file, byte[] image) {
        try {
            Files.createDirectories(folder);
            Path fresh = Files.createTempFile(folder, source(file), ".part");
            try {
                Files.write(
                        fresh,
                        ByteBuffer.allocate(HASH_BYTES + image.length)
                                .put(Sha256.of(image))
                                .put(image)
                                .array());
                LocalFiles.rename(fresh, file);
            } finally {
                LocalFiles.remove(fresh);
            }
        } catch (IOException e) {
            LOG.warn("Cannot keep compiled kernels in {}: the next process compiles them again", folder, e);
        }
    }

    private static String source(Path file) {
        return String.valueOf(file.getFileName());
    }
}
