package org.sparkqlora.model;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.sparkqlora.model.DocumentBatch.Document;
import org.sparkqlora.tensor.TensorScope;

/**
 * Grouped-query attention within each document: {@code O = softmax(Q K' / sqrt(d) + mask) V}. A token sees the tokens of its
 * document at or before its own place, and under a sliding window w only the last w of them.
 *
 * <p>Queries are taken in blocks, against no more keys than the block can see: that spares up to half of the products and
 * bounds memory. The query heads that share a key head count as more rows of one product, so keys are never copied.
 *
 * <p>Gradient: with {@code D = rowsum(dO O)}, {@code dV = P' dO}, {@code dS = P (dO V' - D) / sqrt(d)}, {@code dQ = dS K},
 * {@code dK = dS' Q}.
 */
final class CausalAttention implements AutoCloseable {
    // T tokens, H query heads, G key heads, R = H / G, d head size, n queries of a block, m keys that it can see.

    private static final int QUERY_BLOCK = 256;

    private final OptionalInt window;
    private final Scalar scale;
    private final Map<Mask, Tensor> masks = new HashMap<>();

    /** Attention for heads of {@code headSize}; belongs to one pass. */
    CausalAttention(int headSize, OptionalInt window) {
        this.window = window;
        this.scale = new Scalar(1 / Math.sqrt(headSize));
    }

    @Override
    public void close() {
        masks.values().forEach(Tensor::releaseReference);
        masks.clear();
    }

    /** Queries {@code from .. from + count - 1} and the keys {@code firstKey ..} up to the last query, all counted in the batch. */
    private record Block(Document document, int from, int count, int firstKey) {
        int keys() {
            return from + count - firstKey;
        }
    }

    /** Additive mask of {@code count} queries that see {@code keys} keys, the last of which is the last query itself. */
    private record Mask(int count, int keys) {}

    /** The output, (T, H d), and the probabilities of each block, which the gradient needs. */
    record Attended(Tensor output, List<Tensor> probabilities) {}

    /** Attends with queries (T, H, d) to keys and values (T, G, d). */
    Attended forward(Tensor query, Tensor key, Tensor value, DocumentBatch batch) {
        Tensor output = torch.empty_like(query);
        List<Tensor> probabilities = new ArrayList<>();
        long groups = key.size(1);
        for (Block block : blocks(batch)) {
            Tensor scores =
                    torch.bmm(rows(query, block, groups), columns(key, block).transpose(1, 2));
            Tensor probability = torch.softmax(mask(scores.mul_(scale), block), -1);
            Tensor mixed = torch.bmm(probability, columns(value, block));
            queryView(output, block, groups).copy_(split(mixed, block));
            probabilities.add(probability);
        }

        return new Attended(output.view(query.size(0), -1), probabilities);
    }

    /** Gradients of queries, keys and values, shaped as those. */
    record Gradients(Tensor query, Tensor key, Tensor value) {}

    /** Gradients, given the gradient of the output (T, H d) and all of the forward pass. */
    Gradients backward(
            Tensor outputGradient, Attended attended, Tensor query, Tensor key, Tensor value, DocumentBatch batch) {
        long groups = key.size(1);
        Tensor dOutput = outputGradient.view(query.sizes());
        Tensor output = attended.output().view(query.sizes());
        Gradients sums = new Gradients(
                torch.empty_like(query),
                torch.zeros_like(key, new TensorOptions(ScalarType.Float), null),
                torch.zeros_like(value, new TensorOptions(ScalarType.Float), null));
        int i = 0;
        for (Block block : blocks(batch)) {
            Tensor probability = attended.probabilities().get(i++);
            Tensor gradient = rows(dOutput, block, groups);
            Tensor delta = gradient.to(ScalarType.Float)
                    .mul(rows(output, block, groups))
                    .sum(new long[] {-1}, true, null)
                    .to(query.scalar_type());
            Tensor scores = torch.bmm(gradient, columns(value, block).transpose(1, 2));
            scores.sub_(delta).mul_(probability).mul_(scale);
            queryView(sums.query(), block, groups).copy_(split(torch.bmm(scores, columns(key, block)), block));
            addColumns(sums.key(), block, torch.bmm(scores.transpose(1, 2), rows(query, block, groups)));
            addColumns(sums.value(), block, torch.bmm(probability.transpose(1, 2), gradient));
        }

        return new Gradients(
                sums.query(), sums.key().to(key.scalar_type()), sums.value().to(value.scalar_type()));
    }

    private List<Block> blocks(DocumentBatch batch) {
        List<Block> blocks = new ArrayList<>();
        for (Document document : batch.documents()) {
            int end = document.start() + document.length();
            for (int from = document.start(); from < end; from += QUERY_BLOCK) {
                int firstKey = window.isPresent()
                        ? Math.max(document.start(), from - window.getAsInt() + 1)
                        : document.start();
                blocks.add(new Block(document, from, Math.min(QUERY_BLOCK, end - from), firstKey));
            }
        }

        return blocks;
    }

    /** (n, G, R, d) of a (T, H, d). */
    private static Tensor queryView(Tensor tensor, Block block, long groups) {
        long size = tensor.size(2);
        return tensor.narrow(0, block.from(), block.count()).view(block.count(), groups, -1, size);
    }

    /** The block's queries as rows: (G, R n, d). */
    private static Tensor rows(Tensor tensor, Block block, long groups) {
        return queryView(tensor, block, groups).permute(1, 2, 0, 3).contiguous().view(groups, -1, tensor.size(2));
    }

    /** (G, R n, d) seen as (n, G, R, d). */
    private static Tensor split(Tensor rows, Block block) {
        return rows.view(rows.size(0), -1, block.count(), rows.size(2)).permute(2, 0, 1, 3);
    }

    /** The keys or values that the block sees: (G, m, d). */
    private static Tensor columns(Tensor tensor, Block block) {
        return tensor.narrow(0, block.firstKey(), block.keys()).transpose(0, 1).contiguous();
    }

    private static void addColumns(Tensor sum, Block block, Tensor gradient) {
        sum.narrow(0, block.firstKey(), block.keys()).add_(gradient.transpose(0, 1));
    }

    private Tensor mask(Tensor scores, Block block) {
        Tensor mask = masks.computeIfAbsent(
                new Mask(block.count(), block.keys()), shape -> TensorScope.detached(() -> build(shape, scores)));
        scores.view(-1, block.count(), block.keys()).add_(mask);
        return scores;
    }

    private Tensor build(Mask shape, Tensor like) {
        // Query i of the block stands at key i + (keys - count).
        int shift = shape.keys() - shape.count();
        long[] size = {shape.count(), shape.keys()};
        Scalar hidden = new Scalar(Double.NEGATIVE_INFINITY);
        Tensor mask =
                torch.full(size, hidden, new TensorOptions(like.scalar_type())).triu_(shift + 1);
        if (window.isPresent()) {
            mask.add_(torch.full(size, hidden, new TensorOptions(like.scalar_type()))
                    .tril_(shift - window.getAsInt()));
        }

        return mask;
    }
}
