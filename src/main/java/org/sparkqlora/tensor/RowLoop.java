package org.sparkqlora.tensor;

import org.bytedeco.pytorch.Tensor;
import org.sparkqlora.quant.Workers;

/** Loops over the rows of tensors, shared by the threads of a task; what a row becomes must not depend on other rows. Safe for concurrent callers. */
public record RowLoop(Workers workers, RowMath math) {
    /** Numbers below which a thread costs more to wake than it saves. */
    private static final long GRAIN = 1 << 14;

    /** Numbers that one buffer of Java's spans, in bytes below what it can count. */
    private static final long WINDOW = 1 << 28;

    public RowLoop(Workers workers) {
        this(workers, RowMath.fastest());
    }

    /** Runs {@code body} on ranges that cover {@code rows} rows of up to {@code width} numbers. */
    public void run(long rows, long width, Body body) {
        long grain = Math.max(1, GRAIN / width);
        long window = Math.max(1, WINDOW / width);
        workers.forRanges(rows, grain, (from, to) -> {
            for (long at = from; at < to; at += window) {
                run(body, at, Math.min(to, at + window));
            }
        });
    }

    /** Runs {@code body} on ranges that cover {@code count} items, each worth a thread. */
    public void runEach(long count, Body body) {
        workers.forRanges(count, 1, (from, to) -> run(body, from, to));
    }

    /** In a scope of its own: a worker has none, and what is left there is never freed. */
    private void run(Body body, long from, long to) {
        TensorScope.run(() -> body.run(new Range(from, to, math)));
    }

    /** Work on one range of rows. */
    public interface Body {
        void run(Range range);
    }

    /** Rows {@code from} to {@code to - 1}. */
    public record Range(long from, long to, RowMath math) {
        /** These rows of a tensor without gaps. */
        public TensorRows of(Tensor tensor, int width) {
            return TensorRows.of(tensor, width, from, to, math);
        }

        /** These rows of a tensor whose rows begin {@code stride} numbers apart. */
        public TensorRows strided(Tensor tensor, int width, long stride) {
            return TensorRows.strided(tensor, width, stride, from, to, math);
        }

        /** These rows of a matrix, which may be some columns of a wider one. */
        public TensorRows of(Tensor matrix) {
            return strided(matrix, Math.toIntExact(matrix.size(1)), matrix.stride(0));
        }
    }
}
