package org.sparkqlora.tensor;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReference;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.quant.FourBitDequantizer;
import org.sparkqlora.quant.FourBitTensor;

/** The weight of a linear module of the base model, (outputs, inputs), as it is held between uses. */
public sealed interface BaseMatrix {
    /**
     * The weight in the number format of {@code buffer}.
     *
     * @param buffer a matrix of the weight's shape that the result may be written to, and then is; on the processor there may be gaps
     *     between its rows
     */
    Tensor materialize(Tensor buffer, FourBitDequantizer dequantizer);

    /** What {@link #materialize} returned for the same buffer, whose content is still there. */
    default Tensor materialized(Tensor buffer) {
        return buffer;
    }

    /** Has the system read it ahead of its use, where it is not resident. */
    default void ask() {}

    /** A weight held ready for use. */
    record Dense(Tensor weight) implements BaseMatrix {
        @Override
        public Tensor materialized(Tensor buffer) {
            return weight;
        }

        @Override
        public Tensor materialize(Tensor buffer, FourBitDequantizer dequantizer) {
            return weight;
        }
    }

    /** A weight held in 4 bits and dequantised for each use. */
    record FourBit(FourBitTensor weight) implements BaseMatrix {
        @Override
        public Tensor materialize(Tensor buffer, FourBitDequantizer dequantizer) {
            // libtorch hands out a fresh enum object a call; only an interned one can be compared.
            int width = Math.toIntExact(buffer.size(1));
            int stride = Math.toIntExact(buffer.stride(0));
            if (buffer.scalar_type().intern() == ScalarType.BFloat16) {
                dequantizer.toBfloat16(weight, TensorMemory.shortBuffer(buffer), width, stride);
            } else {
                dequantizer.toFloat(weight, TensorMemory.floatBuffer(buffer), width, stride);
            }

            return buffer;
        }
    }

    /** A weight that is converted for each use, by whole rows. */
    record Converted(FloatSource source, Hardware hardware) implements BaseMatrix {
        /** Rows that are read together: of some sources neighbours cost little. */
        private static final int BAND = 32;

        /** Rows that are copied to a device together. */
        private static final int UPLOADED = 256;

        @Override
        public Tensor materialize(Tensor buffer, FourBitDequantizer dequantizer) {
            if (hardware.isHostAccessible()) {
                write(buffer);
                return buffer;
            }

            upload(buffer);
            return buffer;
        }

        private void upload(Tensor target) {
            long width = target.size(1);
            float[] band = new float[Math.toIntExact(UPLOADED * width)];
            for (long first = 0; first < target.size(0); first += UPLOADED) {
                long at = first;
                long count = Math.min(UPLOADED, target.size(0) - first);
                source.read(first * width, band, Math.toIntExact(count * width));
                TensorScope.run(() -> target.narrow(0, at, count)
                        .copy_(TensorMemory.floats(band, UPLOADED, width).narrow(0, 0, count)));
            }
        }

        private void write(Tensor target) {
            int width = Math.toIntExact(target.size(1));
            hardware.rows().run(target.size(0), width, range -> {
                TensorRows rows = range.of(target);
                float[] band = new float[BAND * width];
                float[] row = new float[width];
                for (long first = range.from(); first < range.to(); first += BAND) {
                    int count = (int) Math.min(BAND, range.to() - first);
                    source.read(first * width, band, count * width);
                    for (int i = 0; i < count; i++) {
                        System.arraycopy(band, i * width, row, 0, width);
                        rows.store(first + i, row);
                    }
                }
            });
        }
    }

    /**
     * A weight whose pages are given back after each use, so that it is always copied.
     *
     * @param reading has them read ahead
     * @param giveBack called once it is copied
     */
    record Paged(BaseMatrix matrix, Runnable reading, Runnable giveBack) implements BaseMatrix {
        @Override
        public void ask() {
            reading.run();
        }

        @Override
        public Tensor materialize(Tensor buffer, FourBitDequantizer dequantizer) {
            Tensor made = matrix.materialize(buffer, dequantizer);
            if (made != buffer) {
                buffer.copy_(made);
            }

            giveBack.run();
            return buffer;
        }
    }

    /** A weight held in 4 bits by the host, copied to a device ahead of its use where it is asked for, and dequantised there for each use. */
    final class Uploaded implements BaseMatrix, AutoCloseable {
        private final FourBitTensor weight;
        private final Hardware hardware;
        private final CopyStream stream;
        private final AtomicReference<@Nullable CompletableFuture<FourBitMemory>> ahead = new AtomicReference<>();

        /** @param stream that copies, in which one thread copies at a time */
        public Uploaded(FourBitTensor weight, Hardware hardware, CopyStream stream) {
            this.weight = weight;
            this.hardware = hardware;
            this.stream = stream;
        }

        /** Has {@code copier} copy it for its next use. */
        public void ask(Executor copier) {
            CompletableFuture<FourBitMemory> asked = new CompletableFuture<>();
            if (ahead.compareAndSet(null, asked)) {
                asked.completeAsync(() -> stream.run(this::copy), copier);
            }
        }

        @Override
        public Tensor materialize(Tensor buffer, FourBitDequantizer dequantizer) {
            CompletableFuture<FourBitMemory> asked = ahead.getAndSet(null);
            try (FourBitMemory copy = asked == null ? copy() : asked.join()) {
                hardware.expansion().expand(copy, buffer);
                copy.tensors().forEach(CopyStream::used);
            } catch (CompletionException e) {
                throw e.getCause() instanceof RuntimeException failure ? failure : e;
            }

            return buffer;
        }

        private FourBitMemory copy() {
            return FourBitMemory.of(weight, hardware.device());
        }

        /** Frees a copy that was not used. */
        @Override
        public void close() {
            CompletableFuture<FourBitMemory> asked = ahead.getAndSet(null);
            if (asked != null) {
                asked.thenAccept(FourBitMemory::close)
                        .exceptionally(failed -> null) // it holds nothing, and nobody needs it
                        .join();
            }
        }
    }

    /** A weight held in 4 bits on a device and dequantised there for each use. */
    record OnDevice(FourBitMemory weight, FourBitExpansion expansion) implements BaseMatrix {
        @Override
        public Tensor materialize(Tensor buffer, FourBitDequantizer dequantizer) {
            expansion.expand(weight, buffer);
            return buffer;
        }
    }
}
