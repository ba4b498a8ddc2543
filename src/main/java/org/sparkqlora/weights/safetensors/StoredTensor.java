package org.sparkqlora.weights.safetensors;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.quant.FloatSource;

/**
 * A tensor in a file. Its bytes are mapped when asked for and stay valid as long as the buffer is reachable.
 */
public final class StoredTensor {
    private final Path file;
    private final TensorSpec spec;
    private final long position;

    /** @param position of its first byte in {@code file} */
    public StoredTensor(Path file, TensorSpec spec, long position) {
        this.file = file;
        this.spec = spec;
        this.position = position;
    }

    /** This tensor under another name. */
    StoredTensor named(String name) {
        return new StoredTensor(file, new TensorSpec(name, spec.type(), spec.shape()), position);
    }

    /** A part of this tensor under a name of its own. */
    StoredTensor part(String name, StoredTensors.Part part) {
        TensorSpec own = TensorSpec.of(name, spec.type(), part.rows(), part.columns());
        Objects.checkFromIndexSize(part.from(), own.elements(), elements());
        return new StoredTensor(file, own, position + part.from() * spec.type().bytes());
    }

    public Path file() {
        return file;
    }

    /** Place of its first byte in the file. */
    public long position() {
        return position;
    }

    public TensorSpec spec() {
        return spec;
    }

    public String name() {
        return spec.name();
    }

    public StoredType type() {
        return spec.type();
    }

    public long[] shape() {
        return spec.shape();
    }

    public long elements() {
        return spec.elements();
    }

    public long byteSize() {
        return spec.byteSize();
    }

    /** The whole tensor, read-only and little endian. A tensor of 2 GiB or more must be read in parts. */
    public ByteBuffer buffer() {
        if (byteSize() > Integer.MAX_VALUE) {
            throw new BadInputException(
                    "Cannot map tensor %s of %s as one buffer: expected at most %d bytes, found %d. Read it in parts."
                            .formatted(name(), file, Integer.MAX_VALUE, byteSize()));
        }

        return buffer(0, (int) byteSize());
    }

    /** {@code length} bytes from byte {@code from} of the tensor on, read-only and little endian. */
    public ByteBuffer buffer(long from, int length) {
        Objects.checkFromIndexSize(from, length, byteSize());
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            if (channel.size() < position + from + length) {
                throw new InvalidWeightsException(
                        "Cannot map tensor %s of %s: expected bytes up to %d, found the end of the file at byte %d"
                                .formatted(name(), file, position + from + length, channel.size()));
            }

            return channel.map(FileChannel.MapMode.READ_ONLY, position + from, length)
                    .order(ByteOrder.LITTLE_ENDIAN);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to map tensor %s of %s".formatted(name(), file), e);
        }
    }

    /** The elements as float32: exact for F32, F16 and BF16, rounded for F64. */
    public FloatSource asFloats() {
        return StoredFloats.of(this);
    }

    @Override
    public String toString() {
        return "%s in %s".formatted(spec, file);
    }

    /** Reads a stored tensor as float32 through mapped segments. Safe for concurrent reads. */
    private static final class StoredFloats implements FloatSource {
        private static final int SEGMENT_BITS = 27;
        private static final int SEGMENT = 1 << SEGMENT_BITS;

        private final long length;
        private final StoredType type;
        private final ByteBuffer[] segments;

        private StoredFloats(long length, StoredType type, ByteBuffer[] segments) {
            this.length = length;
            this.type = type;
            this.segments = segments;
        }

        static StoredFloats of(StoredTensor tensor) {
            if (!tensor.type().isFloat()) {
                throw new InvalidWeightsException(
                        "Cannot read tensor %s of %s as floats: expected F64, F32, F16 or BF16, found %s"
                                .formatted(tensor.name(), tensor.file(), tensor.type()));
            }

            int bytes = tensor.type().bytes();
            long elements = tensor.elements();
            ByteBuffer[] segments = new ByteBuffer[Math.toIntExact((elements + SEGMENT - 1) >>> SEGMENT_BITS)];
            for (int s = 0; s < segments.length; s++) {
                long from = (long) s << SEGMENT_BITS;
                int count = (int) Math.min(SEGMENT, elements - from);
                segments[s] = tensor.buffer(from * bytes, count * bytes);
            }

            return new StoredFloats(elements, tensor.type(), segments);
        }

        @Override
        public long length() {
            return length;
        }

        @Override
        public void read(long from, float[] target, int count) {
            Objects.checkFromIndexSize(from, count, length);
            int done = 0;
            while (done < count) {
                long at = from + done;
                int offset = (int) (at & (SEGMENT - 1));
                int n = Math.min(count - done, SEGMENT - offset);
                StoredNumbers.widen(type, segments[(int) (at >>> SEGMENT_BITS)], offset, target, done, n);
                done += n;
            }
        }
    }
}
