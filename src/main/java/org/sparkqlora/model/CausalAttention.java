package org.sparkqlora.model;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.function.LongFunction;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.DocumentBatch.Document;
import org.sparkqlora.model.KeyValueCache.KeysAndValues;
import org.sparkqlora.model.KeyValueCache.Seen;
import org.sparkqlora.model.elementwise.AttentionSinks;
import org.sparkqlora.model.elementwise.AttentionSoftmax;
import org.sparkqlora.model.generation.CachedAttention;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.Products;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorScope;

/**
 * Grouped-query attention within each document: {@code O = softmax(s Q K' + mask) V}, s being 1 / sqrt(d) in most families. A token sees the tokens of its
 * document at or before its own place, and under a sliding window w only the last w of them.
 *
 * <p>Queries are taken in blocks, against no more keys than the block can see: that spares up to half of the products and
 * bounds memory. The query heads that share a key head count as more rows of one product, so keys are never copied.
 *
 * <p>Gradient: with {@code dP = dO V'}, {@code dV = P' dO}, {@code dS = s P (dP - rowsum(P dP))}, {@code dQ = dS K},
 * {@code dK = dS' Q}.
 */
final class CausalAttention {
    // T rows, H query heads, G key heads, R = H / G, d head size, n queries of a block, m keys that it can see; N and M
    // those of products.

    private static final int QUERY_BLOCK = 256;

    private final AttentionSoftmax softmax;
    private final OptionalInt window;
    private final double scale;
    private final Hardware hardware;

    CausalAttention(double scale, OptionalInt window, OptionalDouble cap, Hardware hardware) {
        this(new AttentionSoftmax(scale, window, cap, null, hardware));
    }

    private CausalAttention(AttentionSoftmax softmax) {
        this.softmax = softmax;
        this.window = softmax.window();
        this.scale = softmax.scale();
        this.hardware = softmax.hardware();
    }

    /** This attention, of which sinks take a share. */
    CausalAttention withSinks(AttentionSinks sinks) {
        return new CausalAttention(new AttentionSoftmax(scale, window, softmax.cap(), sinks, hardware));
    }

    /**
     * Queries {@code from .. from + count - 1} of the batch and the keys {@code firstKey ..} up to the last query. Query i of a document
     * stands {@code i + past} keys behind its first. Products are of {@code rows} queries, N, and {@code columns}
     * keys, M, zeros standing behind those that there are.
     */
    private record Block(Document document, int from, int count, int firstKey) {
        int rows() {
            return count == 1 ? 1 : DocumentBatch.roundUp(count);
        }

        int columns() {
            return DocumentBatch.roundUp(keys() - count + rows());
        }

        int keys() {
            return keyOf(document, from) + count - firstKey;
        }

        AttentionSoftmax.Mask mask() {
            return new AttentionSoftmax.Mask(rows(), count, columns(), keys() - count + 1);
        }
    }

    /**
     * Intermediate results of one block that the gradient needs.
     *
     * @param softcapped tanh(score / c); null without a cap
     */
    record BlockTape(Tensor probability, @Nullable Tensor softcapped) {
        private Stream<Tensor> tensors() {
            return Stream.concat(Stream.of(probability), Stream.ofNullable(softcapped));
        }
    }

    /**
     * The output, (T, H d), and what the gradient needs.
     *
     * @param blocks none where the gradient is to compute them again
     */
    record Attended(Tensor output, List<BlockTape> blocks) {
        Stream<Tensor> tensors() {
            return Stream.concat(Stream.of(output), blocks.stream().flatMap(BlockTape::tensors));
        }
    }

    /** Attends with queries (T, H, d) to keys and values (T, G, d) of the same tokens. */
    Attended forward(
            Tensor query, Tensor key, Tensor value, DocumentBatch batch, boolean keeps, LongFunction<Tensor> buffer) {
        return forward(query, KeysAndValues.ofBatch(batch, key, value), batch, keeps, buffer);
    }

    /**
     * Attends with queries (T, H, d) to keys and values (tokens, G, d), those of the past before them where there is one.
     *
     * @param keeps whether the gradient is not to compute the probabilities again
     * @param buffer for the output
     */
    Attended forward(Tensor query, Seen seen, DocumentBatch batch, boolean keeps, LongFunction<Tensor> buffer) {
        if (isFused(batch)) {
            KeysAndValues all = seen.by(batch.documents().get(0));
            Tensor mixed = new FusedAttention(scale).forward(query, all.keys(), all.values(), batch);
            return new Attended(mixed.view(query.size(0), -1), List.of());
        }

        Tensor flat = zeroBehind(batch, buffer.apply(query.size(0)));
        Tensor output = flat.view(query.sizes());
        List<BlockTape> tapes = new ArrayList<>();
        for (Block block : blocks(batch.documents())) {
            if (keeps) {
                tapes.add(TensorScope.keepAll(
                        () -> attend(query, seen.by(block.document()), output, block),
                        tape -> tape.tensors().toList()));
            } else {
                TensorScope.run(() -> attend(query, seen.by(block.document()), output, block));
            }
        }

        return new Attended(flat, tapes);
    }

    /** Writes the output of some documents of a batch, (T, H, d), and keeps nothing. */
    void attend(Tensor query, KeysAndValues seen, Tensor output, List<Document> documents) {
        for (Block block : blocks(documents)) {
            TensorScope.run(() -> attend(query, seen, output, block));
        }
    }

    /** The same for single tokens, whose keys and values are kept. */
    CachedAttention cached(int size, int queries) {
        return new CachedAttention(size, queries, scale, window, softmax.cap(), softmax.sinks());
    }

    private BlockTape attend(Tensor query, KeysAndValues seen, Tensor output, Block block) {
        long groups = seen.keys().size(1);
        BlockTape tape = probabilities(query, seen.keys(), block, groups);
        Tensor mixed = Products.bmm(tape.probability(), columns(seen.values(), block));
        queryView(output, block, groups).copy_(split(mixed, block));
        return tape;
    }

    /** Gradients of queries, keys and values, shaped as those. */
    record Gradients(Tensor query, Tensor key, Tensor value) {}

    /**
     * Gradients, given the gradient of the output (T, H d) and all of the forward pass.
     *
     * @param buffer for the three of them
     */
    Gradients backward(
            Tensor outputGradient,
            Attended attended,
            Tensor query,
            Tensor key,
            Tensor value,
            DocumentBatch batch,
            LongFunction<List<Tensor>> buffer) {
        if (isFused(batch)) {
            return new FusedAttention(scale).backward(outputGradient.view(query.sizes()), query, key, value, batch);
        }

        long groups = key.size(1);
        Tensor dOutput = outputGradient.view(query.sizes());
        List<Tensor> places = buffer.apply(query.size(0));
        Gradients sums = new Gradients(
                zeroBehind(batch, places.get(0).view(query.sizes())),
                torch.zeros_like(key, new TensorOptions(ScalarType.Float), null),
                torch.zeros_like(value, new TensorOptions(ScalarType.Float), null));
        Seen seen = KeysAndValues.ofBatch(batch, key, value);
        AttentionSinks sinks = softmax.sinks();
        Tensor products = sinks == null ? null : sinks.products(outputGradient, attended.output());
        int next = 0;
        for (Block block : blocks(batch.documents())) {
            BlockTape kept =
                    attended.blocks().isEmpty() ? null : attended.blocks().get(next++);
            KeysAndValues of = seen.by(block.document());
            TensorScope.run(() -> {
                BlockTape tape = kept == null ? probabilities(query, of.keys(), block, groups) : kept;
                Tensor gradient = rows(dOutput, block, groups);
                Tensor scores =
                        Products.bmm(gradient, columns(of.values(), block).transpose(1, 2));
                softmax.backward(scores, tape.probability(), tape.softcapped(), block.mask());
                queryView(sums.query(), block, groups)
                        .copy_(split(Products.bmm(scores, columns(of.keys(), block)), block));
                addColumns(sums.key(), block, Products.bmm(scores.transpose(1, 2), rows(query, block, groups)));
                addColumns(sums.value(), block, Products.bmm(tape.probability().transpose(1, 2), gradient));
                if (sinks != null && products != null) {
                    sinks.addGradient(tape.probability(), products.narrow(0, block.from(), block.count()));
                }
            });
        }

        return new Gradients(
                sums.query(),
                places.get(1).view(key.sizes()).copy_(sums.key()),
                places.get(2).view(value.sizes()).copy_(sums.value()));
    }

    /** Whether a device's own attention can be taken, which has no windows, caps or sinks. */
    private boolean isFused(DocumentBatch batch) {
        return !hardware.isHostAccessible()
                && softmax.cap().isEmpty()
                && softmax.sinks() == null
                && batch.documents().stream()
                        .allMatch(document ->
                                document.past() == 0 && document.length() <= window.orElse(Integer.MAX_VALUE));
    }

    private BlockTape probabilities(Tensor query, Tensor key, Block block, long groups) {
        Tensor products =
                Products.bmm(rows(query, block, groups), columns(key, block).transpose(1, 2));
        Tensor softcapped = softmax.softcapped(products);
        return new BlockTape(
                softmax.forward(softcapped == null ? products : softcapped.clone(), block.mask()), softcapped);
    }

    private List<Block> blocks(List<Document> documents) {
        List<Block> blocks = new ArrayList<>();
        for (Document document : documents) {
            int end = document.start() + document.length();
            for (int from = document.start(); from < end; from += QUERY_BLOCK) {
                int firstKey = window.isPresent()
                        ? Math.max(document.firstKey(), keyOf(document, from) - window.getAsInt() + 1)
                        : document.firstKey();
                blocks.add(new Block(document, from, Math.min(QUERY_BLOCK, end - from), firstKey));
            }
        }

        return blocks;
    }

    /** The key at which query {@code query} of the batch stands. */
    private static int keyOf(Document document, int query) {
        return document.firstKey() + query - document.start() + document.past();
    }

    /** Rows of no document attend to nothing. */
    static Tensor zeroBehind(DocumentBatch batch, Tensor output) {
        output.narrow(0, batch.tokens(), output.size(0) - batch.tokens()).zero_();
        return output;
    }

    /** (n, G, R, d) of a (T, H, d). */
    private static Tensor queryView(Tensor tensor, Block block, long groups) {
        long size = tensor.size(2);
        return tensor.narrow(0, block.from(), block.count()).view(block.count(), groups, -1, size);
    }

    /** The block's queries as rows: (G, R N, d). */
    private static Tensor rows(Tensor tensor, Block block, long groups) {
        Tensor queries = queryView(tensor, block, groups).permute(1, 2, 0, 3);
        return TensorMemory.padded(queries, 2, block.rows()).view(groups, -1, tensor.size(2));
    }

    /** (G, R N, d) seen as (n, G, R, d). */
    private static Tensor split(Tensor rows, Block block) {
        return rows.view(rows.size(0), -1, block.rows(), rows.size(2))
                .narrow(2, 0, block.count())
                .permute(2, 0, 1, 3);
    }

    /** The keys or values that the block sees: (G, M, d). */
    private static Tensor columns(Tensor tensor, Block block) {
        Tensor seen = tensor.narrow(0, block.firstKey(), block.keys()).transpose(0, 1);
        return TensorMemory.padded(seen, 1, block.columns());
    }

    /** Adds the gradient of the block's keys or values where they stand in the batch: (G, M, d) to (T, G, d). */
    private static void addColumns(Tensor sum, Block block, Tensor gradient) {
        Tensor seen = gradient.narrow(1, 0, block.keys()).transpose(0, 1);
        Document document = block.document();
        if (!document.isSharing()) {
            sum.narrow(0, block.firstKey(), block.keys()).add_(seen);
            return;
        }

        long shared = Math.max(0, document.past() - block.firstKey());
        if (shared > 0) {
            sum.narrow(0, document.shared() + (long) block.firstKey(), shared).add_(seen.narrow(0, 0, shared));
        }

        long own = Math.max(0, block.firstKey() - document.past());
        sum.narrow(0, document.start() + own, block.keys() - shared)
                .add_(seen.narrow(0, shared, block.keys() - shared));
    }
}
