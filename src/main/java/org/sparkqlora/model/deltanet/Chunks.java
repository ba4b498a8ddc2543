package org.sparkqlora.model.deltanet;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.sparkqlora.tensor.TensorMemory;

/**
 * Documents cut in chunks of equal length, the last of each filled up with zeros. The chunks lie step by step: the first of all
 * documents, then the second of those that have one, and so on, the longest documents first. So no chunk holds tokens of two documents,
 * and all documents take a step at once.
 *
 * @param rows of the pass
 * @param length tokens of a chunk
 * @param order documents, by falling number of chunks
 * @param active how many of them have a chunk, by step
 * @param sources the row of each place of the chunks, {@code rows} for a place that is filled up
 * @param places the place of each row, the number of places for a row of no document
 */
record Chunks(int rows, int length, int[] order, int[] active, long[] sources, long[] places) {
    /**
     * Cuts documents.
     *
     * @param rows of the pass
     * @param longest tokens that a chunk may have
     */
    static Chunks of(List<Span> documents, int rows, int longest) {
        int length = Math.min(
                longest, documents.stream().mapToInt(Span::length).max().orElse(1));
        int[] counts = documents.stream()
                .mapToInt(document -> (document.length() + length - 1) / length)
                .toArray();
        int[] order = IntStream.range(0, counts.length)
                .boxed()
                .sorted(Comparator.comparing(document -> -counts[document]))
                .mapToInt(Integer::intValue)
                .toArray();
        int steps = Arrays.stream(counts).max().orElse(0);
        int[] active = IntStream.range(0, steps)
                .map(step -> (int)
                        Arrays.stream(counts).filter(count -> count > step).count())
                .toArray();
        long[] sources = new long[Arrays.stream(counts).sum() * length];
        long[] places = new long[rows];
        Arrays.fill(sources, rows);
        Arrays.fill(places, sources.length);
        int at = 0;
        for (int step = 0; step < steps; step++) {
            for (int i = 0; i < active[step]; i++) {
                Span document = documents.get(order[i]);
                int from = step * length;
                for (int token = from; token < Math.min(from + length, document.length()); token++) {
                    int place = at + token - from;
                    sources[place] = (long) document.start() + token;
                    places[document.start() + token] = place;
                }

                at += length;
            }
        }

        return new Chunks(rows, length, order, active, sources, places);
    }

    /** (chunks, length, ...) of (rows, ...). */
    Tensor cut(Tensor byRow) {
        return torch.index_select(withZeros(byRow), 0, index(sources, byRow)).view(shape(-1, length, byRow));
    }

    /** (rows, ...) of (chunks, length, ...); zeros in rows of no document. */
    Tensor joined(Tensor byChunk) {
        return torch.index_select(withZeros(byChunk.reshape(flat(byChunk))), 0, index(places, byChunk));
    }

    private static long[] flat(Tensor byChunk) {
        long[] sizes = byChunk.sizes().vec().get();
        long[] flat = Arrays.copyOfRange(sizes, 1, sizes.length);
        flat[0] = sizes[0] * sizes[1];
        return flat;
    }

    private static long[] shape(long first, long second, Tensor byRow) {
        long[] sizes = byRow.sizes().vec().get();
        long[] shape = new long[sizes.length + 1];
        shape[0] = first;
        shape[1] = second;
        System.arraycopy(sizes, 1, shape, 2, sizes.length - 1);
        return shape;
    }

    /** The tensor with one more row, of zeros. */
    static Tensor withZeros(Tensor tensor) {
        return torch.cat(new TensorVector(tensor, torch.zeros_like(tensor.narrow(0, 0, 1))), 0);
    }

    static Tensor index(long[] values, Tensor like) {
        return TensorMemory.on(like.device(), TensorMemory.longs(values));
    }
}
