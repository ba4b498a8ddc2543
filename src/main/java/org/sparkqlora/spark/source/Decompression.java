package org.sparkqlora.spark.source;

import com.github.luben.zstd.ZstdInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Locale;
import java.util.regex.Pattern;
import net.jpountz.lz4.LZ4FrameInputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.compress.BlockDecompressorStream;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.io.compress.CompressionCodecFactory;
import org.apache.hadoop.io.compress.Decompressor;
import org.apache.hadoop.io.compress.Lz4Codec;
import org.apache.hadoop.io.compress.SnappyCodec;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.storage.StorePath;
import org.xerial.snappy.SnappyFramedInputStream;

/**
 * A file's content, decompressed by the end of its name. Hadoop's own Zstandard needs a native library that few hosts have; Spark
 * brings one.
 */
final class Decompression extends InputStream {
    /** Bytes of a compressed file without content: gzip has a name in it. */
    private static final int LARGEST_EMPTY = 300;

    private static final String ZSTANDARD = ".zst";

    private static final byte[] LZ4_FRAME = {0x04, 0x22, 0x4d, 0x18};
    private static final byte[] SNAPPY_FRAME = {(byte) 0xff, 0x06, 0x00, 0x00};

    /** Archives and formats that neither Hadoop nor Spark has a codec for. */
    private static final Pattern UNSUPPORTED = Pattern.compile("\\.(zip|tar|tgz|xz|7z|rar|br|lzma|lzo|lz|tar\\.\\w+)$");

    private final String path;
    private final StoreStream store;
    private final InputStream content;
    private boolean hasContent;

    private Decompression(String path, StoreStream store, InputStream content) {
        this.path = path;
        this.store = store;
        this.content = content;
    }

    /** Whether the name of a file says that it is compressed. */
    static boolean isCompressed(Path path, CompressionCodecFactory codecs) {
        String name = path.getName().toLowerCase(Locale.ROOT);
        if (UNSUPPORTED.matcher(name).find()) {
            throw new BadInputException(
                    "Cannot read %s: expected plain files, or gzip, bzip2 or Zstandard ones, found an archive or another compression. Unpack it"
                            .formatted(path));
        }

        return name.endsWith(ZSTANDARD) || codecs.getCodec(path) != null;
    }

    /** Opens the content of a file, compressed or not. */
    static InputStream open(String path, Configuration configuration) throws IOException {
        Path file = new Path(path);
        StoreStream store = new StoreStream(StorePath.files(file, configuration).open(file));
        try {
            return new Decompression(path, store, content(file, store, configuration));
        } catch (IOException e) {
            store.close();
            if (store.failure != null) {
                throw e;
            }

            throw damaged(path, e);
        }
    }

    private static InputStream content(Path file, InputStream store, Configuration configuration) throws IOException {
        if (file.getName().toLowerCase(Locale.ROOT).endsWith(ZSTANDARD)) {
            return new ZstdInputStream(store);
        }

        CompressionCodec codec = new CompressionCodecFactory(configuration).getCodec(file);
        if (codec == null) {
            return store;
        }

        return codec instanceof Lz4Codec || codec instanceof SnappyCodec
                ? framedOrBlocks(store, codec)
                : codec.createInputStream(store);
    }

    /** The frames that the programs lz4 and snzip write begin with a number; Hadoop's blocks have none. */
    private static InputStream framedOrBlocks(InputStream store, CompressionCodec codec) throws IOException {
        PushbackInputStream whole = new PushbackInputStream(store, Integer.BYTES);
        byte[] begin = whole.readNBytes(Integer.BYTES);
        whole.unread(begin);
        if (codec instanceof Lz4Codec && Arrays.equals(begin, LZ4_FRAME)) {
            return new LZ4FrameInputStream(whole);
        }

        return codec instanceof SnappyCodec && Arrays.equals(begin, SNAPPY_FRAME)
                ? new SnappyFramedInputStream(whole)
                : new Blocks(whole, codec.createDecompressor());
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int from, int count) throws IOException {
        try {
            int read = content.read(target, from, count);
            requireContent(read);
            return read;
        } catch (IOException | RuntimeException | InternalError e) { // Java's zlib throws the latter
            if (store.failure != null) {
                throw e;
            }

            throw damaged(path, e);
        }
    }

    /** Hadoop's codecs read a damaged file as an empty one. */
    private void requireContent(int read) throws IOException {
        if (read < 0 && !hasContent && content != store && store.bytes > LARGEST_EMPTY) {
            throw new IOException("nothing in %d bytes".formatted(store.bytes));
        }

        hasContent = true;
    }

    private static BadInputException damaged(String path, Throwable fault) {
        return new BadInputException(
                "Cannot decompress %s: expected what the end of its name says, found an error: %s. Is the file whole?"
                        .formatted(path, fault.getMessage()),
                fault);
    }

    @Override
    public void close() throws IOException {
        content.close();
    }

    /** Hadoop's blocks, each after its length: Hadoop takes any length's memory before it reads, 2 GiB for a damaged one. */
    private static final class Blocks extends BlockDecompressorStream {
        private static final int LONGEST = 64 << 20; // Hadoop writes 256 KiB

        private Blocks(InputStream in, Decompressor decompressor) throws IOException {
            super(in, decompressor);
        }

        @Override
        protected int getCompressedData() throws IOException {
            int length = ByteBuffer.wrap(whole(Integer.BYTES)).getInt();
            if (length < 0 || length > LONGEST) {
                throw new IOException("a block of %d bytes".formatted(length));
            }

            buffer = whole(length);
            return length;
        }

        /** The next bytes. Hadoop takes an {@link java.io.EOFException} for the end of the data. */
        private byte[] whole(int count) throws IOException {
            byte[] bytes = in.readNBytes(count);
            if (bytes.length < count) {
                throw new IOException("%d of the %d bytes of a block".formatted(bytes.length, count));
            }

            return bytes;
        }
    }

    /** A file's bytes; remembers a failure of the store, which a retry may cure, unlike a damaged file. */
    private static final class StoreStream extends FilterInputStream {
        private @Nullable IOException failure;
        private long bytes; // read so far

        private StoreStream(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            try {
                int read = super.read();
                bytes += read < 0 ? 0 : 1;
                return read;
            } catch (IOException e) {
                failure = e;
                throw e;
            }
        }

        @Override
        public int read(byte[] target, int from, int count) throws IOException {
            try {
                int read = super.read(target, from, count);
                bytes += Math.max(0, read);
                return read;
            } catch (IOException e) {
                failure = e;
                throw e;
            }
        }
    }
}
