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

/**
 * Attention in one layer where keys and values of documents are kept: what passes of a document attends to what has passed of it before,
 * and to itself. Documents that begin attend as in any pass; on the processor others do token by token, from rows that Java reads.
 *
 * @param caches of each document of the batch
 */
record ContinuedAttention(
        CausalAttention attention, DocumentBatch batch, List<KeyValueCache.Layer> caches, Hardware hardware) {
    /** A document of which a part passes, and where its keys and values are kept. */
    private record Part(Document document, KeyValueCache.Layer cache) {}

    /** Keeps keys and values (T, G, d), and attends with queries (T, H, d); the output is (T, H d). */
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
            KeysAndValues kept = part.cache()
                    .append(
                            key.narrow(0, document.start(), document.length()),
                            value.narrow(0, document.start(), document.length()));
            seen.put(document, document.past() == 0 ? ofBatch : kept);
        }

        return attention.forward(query, document -> Objects.requireNonNull(seen.get(document)), batch, false, buffer);
    }

    private Attended onHost(List<Part> parts, Tensor query, Tensor key, Tensor value, LongFunction<Tensor> buffer) {
        Tensor flat = CausalAttention.zeroBehind(batch, buffer.apply(query.size(0)));
        List<Part> begun =
                parts.stream().filter(part -> part.document().past() == 0).toList();
        List<Part> continued =
                parts.stream().filter(part -> part.document().past() > 0).toList();
        attention.attend(
                query,
                new KeysAndValues(key, value),
                flat.view(query.sizes()),
                begun.stream().map(Part::document).toList());
        keep(begun, key, value);
        new Steps(continued, attention.cached(size(query, 2), size(query, 1) / size(key, 1)), query, key, value, flat)
                .run(hardware.rows());
        return new Attended(flat, List.of());
    }

    private static int size(Tensor tensor, int dimension) {
        return Math.toIntExact(tensor.size(dimension));
    }

    private void keep(List<Part> begun, Tensor key, Tensor value) {
        hardware.rows().runEach(begun.size(), range -> {
            TensorRows keys = rows(key, range.math());
            TensorRows values = rows(value, range.math());
            for (long i = range.from(); i < range.to(); i++) {
                Part part = begun.get((int) i);
                part.cache()
                        .rows(key, range.math())
                        .fill(
                                keys,
                                values,
                                part.document().start(),
                                part.document().length());
            }
        });
    }

    /** All heads of a token are a row. */
    private static TensorRows rows(Tensor heads, RowMath math) {
        int width = size(heads, 1) * size(heads, 2);
        return TensorRows.strided(heads, width, heads.stride(0), 0, heads.size(0), math);
    }

    /** Parts that follow on others, each of their heads of keys by itself. */
    private record Steps(
            List<Part> parts, CachedAttention attention, Tensor query, Tensor key, Tensor value, Tensor output) {
        void run(RowLoop loop) {
            int heads = ContinuedAttention.size(key, 1);
            loop.runEach((long) parts.size() * heads, range -> {
                TensorRows queries = rows(query, range.math());
                TensorRows keys = rows(key, range.math());
                TensorRows values = rows(value, range.math());
                TensorRows outputs = TensorRows.strided(
                        output, ContinuedAttention.size(output, 1), output.stride(0), 0, output.size(0), range.math());
                int size = attention.size();
                int width = attention.queries() * size;
                KeyValueRows.Room room = new KeyValueRows.Room(size);
                CachedAttention.Token token =
                        new CachedAttention.Token(new float[width], new float[size], new float[size]);
                float[] mixed = new float[width];
                for (long i = range.from(); i < range.to(); i++) {
                    Part part = parts.get((int) (i / heads));
                    int head = (int) (i % heads);
                    KeyValueRows.Head kept =
                            part.cache().rows(key, range.math()).head(head, room);
                    Document document = part.document();
                    for (int t = 0; t < document.length(); t++) {
                        int row = document.start() + t;
                        queries.load(row, head * width, width, token.query());
                        keys.load(row, head * size, size, token.key());
                        values.load(row, head * size, size, token.value());
                        attention.attend(kept, document.past() + t, token, mixed, range.math());
                        outputs.store(row, head * width, width, mixed);
                    }
                }
            });
        }
    }
}
