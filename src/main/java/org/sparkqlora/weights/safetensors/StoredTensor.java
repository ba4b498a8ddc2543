package org.sparkqlora.weights.safetensors;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Objects;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.quant.FloatSource;

/**
 * A tensor in a file. Its bytes are mapped when asked for and stay valid as long as the buffer is reachable.
 *
 * @param spec the form in which it is read
 * @param position of its first byte in {@code file}
 * @param layout how its numbers lie in the file, which need not be as its spec says
 */
public record StoredTensor(Path file, TensorSpec spec, long position, StoredLayout layout) {
    /** A tensor that lies in the file as its spec says. */
    public StoredTensor(Path file, TensorSpec spec, long position) {
        this(file, spec, position, StoredLayout.ROWS);
    }

    /** This tensor under another name. */
    StoredTensor named(String name) {
        return new StoredTensor(file, new TensorSpec(name, spec.type(), spec.shape()), position, layout);
    }

    /**
     * A matrix within this tensor.
     *
     * @param from its first number, counted in this tensor's
     */
    public StoredTensor part(TensorSpec own, long from, StoredLayout ownLayout) {
        long first = from * spec.type().bytes();
        Objects.checkFromIndexSize(first, ownLayout.extent(own), byteSize());
        return new StoredTensor(file, own, position + first, ownLayout);
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

    /** Whether its bytes are those of its spec. */
    public boolean isPlain() {
        return layout instanceof StoredLayout.Rows;
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
        if (!isPlain()) {
            throw new IllegalStateException("Cannot map tensor %s of %s as it is: %s".formatted(name(), file, layout));
        }

        Objects.checkFromIndexSize(from, length, byteSize());
        return map(file, position + from, length);
    }

    /** The elements of a tensor that is not plain, with all that is mapped for them. */
    public MappedFloats mappedFloats() {
        if (layout instanceof StoredLayout.Strided strided) {
            StridedFloats floats = StridedFloats.of(this, strided);
            return new MappedFloats(floats, List.of(floats.mapped()), byteSize());
        }

        if (layout instanceof StoredLayout.Microscaled microscaled) {
            MicroscaledFloats floats = MicroscaledFloats.of(this, microscaled);
            return new MappedFloats(
                    floats,
                    List.of(floats.codes(), floats.scales()),
                    spec.elements() / 2 + spec.elements() / StoredLayout.Microscaled.BLOCK);
        }

        if (layout instanceof StoredLayout.Float8 float8) {
            Float8Floats floats = Float8Floats.of(this, float8);
            return new MappedFloats(floats, List.of(floats.codes()), spec.elements() + float8.scalesExtent(spec));
        }

        throw new IllegalStateException("Cannot convert tensor %s of %s: it is plain".formatted(name(), file));
    }

    /** All bytes between the first number and the last, whatever the layout. */
    ByteBuffer mapped() {
        return map(file, position, Math.toIntExact(layout.extent(spec)));
    }

    /** The scales of all blocks, and those of other matrices between. */
    ByteBuffer mappedScales(StoredLayout.WithScales own) {
        return map(
                file.resolveSibling(own.scalesFile()), own.scalesPosition(), Math.toIntExact(own.scalesExtent(spec)));
    }

    private ByteBuffer map(Path from, long first, int length) {
        try (FileChannel channel = FileChannel.open(from, StandardOpenOption.READ)) {
            if (channel.size() < first + length) {
                throw new InvalidWeightsException(
                        "Cannot map tensor %s of %s: expected bytes up to %d, found the end of the file at byte %d"
                                .formatted(name(), from, first + length, channel.size()));
            }

            return channel.map(FileChannel.MapMode.READ_ONLY, first, length).order(ByteOrder.LITTLE_ENDIAN);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to map tensor %s of %s".formatted(name(), from), e);
        }
    }

    /** The elements as float32: exact for F32, F16, BF16 and MXFP4, rounded for F64 and, to bfloat16, for FP8. */
    public FloatSource asFloats() {
        return isPlain() ? StoredFloats.of(this) : mappedFloats().source();
    }

    @Override
    public String toString() {
        return "%s in %s".formatted(spec, file);
    }

    /** Reads a stored tensor as float32 through mapped segments. Safe for concurrent reads. */
    private record StoredFloats(long length, StoredType type, ByteBuffer[] segments) implements FloatSource {
        private static final int SEGMENT_BITS = 27;
        private static final int SEGMENT = 1 << SEGMENT_BITS;

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
