package org.sparkqlora.model;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.LongFunction;
import org.bytedeco.pytorch.Tensor;
import org.sparkqlora.model.CausalAttention.Attended;
import org.sparkqlora.model.DocumentBatch.Document;
import org.sparkqlora.model.KeyValueCache.KeysAndValues;
import org.sparkqlora.model.generation.CachedAttention;
import org.sparkqlora.model.generation.KeyValueRows;
import org.sparkqlora.tensor.Hardware;
import org.sparkqlora.tensor.RowLoop;
import org.sparkqlora.tensor.RowMath;
import org.sparkqlora.tensor.TensorRows;
import org.sparkqlora.tensor.TensorScope;

/**
 * Attention in one layer where keys and values of documents are kept: what passes of a document attends to what has passed of it before,
 * and to itself. On the processor single tokens attend by rows that Java reads, all at once; what is longer as in any pass.
 *
 * @param caches of each document of the batch
 * @param keeping whose keys and values the caches hold
 */
record ContinuedAttention(
        CausalAttention attention,
        DocumentBatch batch,
        List<KeyValueCache.Layer> caches,
        Keeping keeping,
        Hardware hardware) {
    /** Whether the layer keeps keys and values, or those that it attends to were kept by another one. */
    enum Keeping {
        HERE,
        BY_ANOTHER_LAYER
    }

    /** A document of which a part passes, and where its keys and values are kept. */
    private record Part(Document document, KeyValueCache.Layer cache) {
        /** Whether it is the next token of a text. */
        boolean isStep() {
            return document.past() > 0 && document.length() == 1;
        }
    }

    /** Keeps keys and values (T, G, d), unless they are kept, and attends with queries (T, H, d); the output is (T, H d). */
    Attended forward(Tensor query, Tensor key, Tensor value, LongFunction<Tensor> buffer) {
        List<Part> parts = new ArrayList<>();
        for (int i = 0; i < caches.size(); i++) {
            parts.add(new Part(batch.documents().get(i), caches.get(i)));
        }

        return hardware.isHostAccessible()
                ? onHost(parts, query, key, value, buffer)
                : onDevice(parts, query, key, value, buffer);
    }

    private Attended onDevice(List<Part> parts, Tensor query, Tensor key, Tensor value, LongFunction<Tensor> buffer) {
        KeysAndValues ofBatch = new KeysAndValues(key, value);
        Map<Document, KeysAndValues> seen = new HashMap<>();
        for (Part part : parts) {
            Document document = part.document();
            KeysAndValues kept = keeping == Keeping.BY_ANOTHER_LAYER
                    ? part.cache().kept()
                    : part.cache()
                            .append(
                                    key.narrow(0, document.start(), document.length()),
                                    value.narrow(0, document.start(), document.length()));
            seen.put(document, document.past() == 0 ? ofBatch : kept);
        }

        return attention.forward(query, document -> Objects.requireNonNull(seen.get(document)), batch, false, buffer);
    }

    private Attended onHost(List<Part> parts, Tensor query, Tensor key, Tensor value, LongFunction<Tensor> buffer) {
        Tensor flat = CausalAttention.zeroBehind(batch, buffer.apply(query.size(0)));
        Tensor output = flat.view(query.sizes());
        List<Part> steps = parts.stream().filter(Part::isStep).toList();
        List<Part> longer = parts.stream().filter(part -> !part.isStep()).toList();
        if (keeping == Keeping.HERE) {
            keep(longer, key, value);
        }

        KeysAndValues ofBatch = new KeysAndValues(key, value);
        for (Part part : longer) {
            Document document = part.document();
            if (document.past() == 0) {
                attention.attend(query, ofBatch, output, List.of(document));
            } else {
                TensorScope.run(() -> {
                    KeyValueRows rows = part.cache().rows(key, hardware.rows().math());
                    KeysAndValues all = new KeysAndValues(rows.keys(document.end()), rows.values(document.end()));
                    attention.attend(query, all, output, List.of(document));
                });
            }
        }

        new Steps(
                        steps,
                        keeping,
                        attention.cached(size(query, 2), size(query, 1) / size(key, 1)),
                        query,
                        key,
                        value,
                        flat)
                .run(hardware.rows());
        return new Attended(flat, List.of());
    }

    private static int size(Tensor tensor, int dimension) {
        return Math.toIntExact(tensor.size(dimension));
    }

    private void keep(List<Part> parts, Tensor key, Tensor value) {
        hardware.rows().runEach(parts.size(), range -> {
            TensorRows keys = rows(key, range.math());
            TensorRows values = rows(value, range.math());
            for (long i = range.from(); i < range.to(); i++) {
                Part part = parts.get((int) i);
                Document document = part.document();
                part.cache()
                        .rows(key, range.math())
                        .fill(keys, values, document.start(), document.past(), document.length());
            }
        });
    }

    /** All heads of a token are a row. */
    private static TensorRows rows(Tensor heads, RowMath math) {
        int width = size(heads, 1) * size(heads, 2);
        return TensorRows.strided(heads, width, heads.stride(0), 0, heads.size(0), math);
    }

    /** The next tokens of texts, each of their heads of keys by itself. */
    private record Steps(
            List<Part> parts,
            Keeping keeping,
            CachedAttention attention,
            Tensor query,
            Tensor key,
            Tensor value,
            Tensor output) {
        void run(RowLoop loop) {
            int heads = ContinuedAttention.size(key, 1);
            loop.runEach((long) parts.size() * heads, range -> {
                Step step = Step.of(this, heads, range.math());
                long next = range.from();
                while (next < range.to()) {
                    int head = (int) (next % heads);
                    int count = (int) Math.min(heads - head, range.to() - next);
                    step.run(parts.get((int) (next / heads)), head, count);
                    next += count;
                }
            });
        }
    }

    /** Heads of one token. Belongs to one thread. */
    private record Step(
            Steps of,
            TensorRows queries,
            TensorRows keys,
            TensorRows values,
            TensorRows outputs,
            CachedAttention.Token token,
            float[] mixed,
            KeyValueRows.Room room,
            RowMath math) {
        static Step of(Steps of, int heads, RowMath math) {
            int size = of.attention().size();
            int width = heads * of.attention().queries() * size;
            return new Step(
                    of,
                    rows(of.query(), math),
                    rows(of.key(), math),
                    rows(of.value(), math),
                    TensorRows.strided(
                            of.output(),
                            width,
                            of.output().stride(0),
                            0,
                            of.output().size(0),
                            math),
                    new CachedAttention.Token(new float[width], new float[heads * size], new float[heads * size]),
                    new float[width],
                    new KeyValueRows.Room(of.key().scalar_type(), heads, size),
                    math);
        }

        void run(Part part, int head, int count) {
            int size = of.attention().size();
            int width = of.attention().queries() * size;
            Document document = part.document();
            int row = document.start();
            queries.load(row, head * width, count * width, token.query());
            KeyValueRows.Heads kept = part.cache().rows(of.key(), math).heads(head, count, room);
            if (of.keeping() == Keeping.HERE) {
                keys.load(row, head * size, count * size, token.key());
                values.load(row, head * size, count * size, token.value());
                of.attention().attend(kept, document.past(), token, mixed, math);
            } else {
                of.attention().attend(kept, document.past(), token.query(), mixed, math);
            }

            outputs.store(row, head * width, count * width, mixed);
        }
    }
}
