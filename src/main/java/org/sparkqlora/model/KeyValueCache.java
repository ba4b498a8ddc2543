package org.sparkqlora.model;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.DocumentBatch.Document;
import org.sparkqlora.model.delta.RecurrentState;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorScope;

/** Keys and values of the tokens of one document that have passed each layer, or the state that they left behind there. Belongs to one pass at a time. */
final class KeyValueCache implements AutoCloseable {
    private static final long FIRST_TOKENS = 256;

    private final List<Layer> layers;

    KeyValueCache(int layers) {
        this.layers = Stream.generate(Layer::new).limit(layers).toList();
    }

    Layer layer(int index) {
        return layers.get(index);
    }

    /** Forgets all tokens. */
    @Override
    public void close() {
        layers.forEach(Layer::clear);
    }

    /** Keys and values, (tokens, key heads, head size). */
    record KeysAndValues(Tensor keys, Tensor values) {
        /** Those of the tokens of {@code batch}; a document that shares a beginning has them put together. */
        static Seen ofBatch(DocumentBatch batch, Tensor keys, Tensor values) {
            KeysAndValues all = new KeysAndValues(keys, values);
            Map<Document, KeysAndValues> joined = new HashMap<>();
            batch.documents().stream()
                    .filter(Document::isSharing)
                    .forEach(document ->
                            joined.put(document, new KeysAndValues(join(document, keys), join(document, values))));
            return document -> joined.getOrDefault(document, all);
        }

        private static Tensor join(Document document, Tensor tensor) {
            return torch.cat(new TensorVector(
                    tensor.narrow(0, document.shared(), document.past()),
                    tensor.narrow(0, document.start(), document.length())));
        }
    }

    /** What the queries of each document of a batch attend to. */
    interface Seen {
        KeysAndValues by(Document document);
    }

    /** The cache of one layer; its buffer doubles when it is full. */
    static final class Layer {
        private final RecurrentState recurrent = new RecurrentState();
        private @Nullable KeysAndValues buffer;
        private long tokens;

        /** What the tokens left behind where the layer is none of attention. */
        RecurrentState recurrent() {
            return recurrent;
        }

        /** Keeps those of the next tokens, and returns all: a view, valid until more are kept. */
        KeysAndValues append(Tensor keys, Tensor values) {
            long count = keys.size(0);
            KeysAndValues kept = bufferFor(tokens + count, keys);
            kept.keys().narrow(0, tokens, count).copy_(keys);
            kept.values().narrow(0, tokens, count).copy_(values);
            tokens += count;
            return new KeysAndValues(
                    kept.keys().narrow(0, 0, tokens), kept.values().narrow(0, 0, tokens));
        }

        private KeysAndValues bufferFor(long wanted, Tensor like) {
            KeysAndValues before = buffer;
            if (before != null && before.keys().size(0) >= wanted) {
                return before;
            }

            long size = before == null ? FIRST_TOKENS : 2 * before.keys().size(0);
            KeysAndValues larger = new KeysAndValues(
                    grown(before == null ? null : before.keys(), Math.max(size, wanted), like),
                    grown(before == null ? null : before.values(), Math.max(size, wanted), like));
            release();
            buffer = larger;
            return larger;
        }

        private Tensor grown(@Nullable Tensor before, long size, Tensor like) {
            return TensorScope.detached(() -> {
                Tensor larger = TensorMemory.empty(like.device(), like.scalar_type(), size, like.size(1), like.size(2));
                if (before != null) {
                    larger.narrow(0, 0, tokens).copy_(before.narrow(0, 0, tokens));
                }

                return larger;
            });
        }

        private void clear() {
            release();
            recurrent.close();
            buffer = null;
            tokens = 0;
        }

        private void release() {
            if (buffer != null) {
                buffer.keys().releaseReference();
                buffer.values().releaseReference();
            }
        }
    }
}
