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
import org.sparkqlora.model.deltanet.RecurrentState;
import org.sparkqlora.model.generation.KeyValueRows;
import org.sparkqlora.tensor.RowMath;
import org.sparkqlora.tensor.TensorMemory;
import org.sparkqlora.tensor.TensorScope;

/** Keys and values of the tokens of one document that have passed each layer, or the state that they left behind there. Belongs to one pass at a time. */
final class KeyValueCache implements AutoCloseable {
    private final List<Layer> layers;

    /** @param tokens that the document has at most */
    KeyValueCache(int layers, int tokens) {
        this.layers = Stream.generate(() -> new Layer(tokens)).limit(layers).toList();
    }

    Layer layer(int index) {
        return layers.get(index);
    }

    /** Keeps the first {@code count} tokens of another document, which has keys and values in every layer. */
    void takeBeginning(KeyValueCache other, int count) {
        TensorScope.run(() -> {
            for (int i = 0; i < layers.size(); i++) {
                layer(i).takeBeginning(other.layer(i), count);
            }
        });
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

    /** The keys and values that the queries of each document of a batch attend to. */
    interface Seen {
        KeysAndValues by(Document document);
    }

    /** The cache of one layer. */
    static final class Layer {
        private final RecurrentState recurrent = new RecurrentState();
        private final int most;
        private @Nullable KeysAndValues tensors;
        private @Nullable KeyValueRows rows;
        private long tokens;

        private Layer(int most) {
            this.most = most;
        }

        /** What the tokens left behind where the layer is none of attention. */
        RecurrentState recurrent() {
            return recurrent;
        }

        /** Keys and values as Java reads them, {@code like} being some of the keys. */
        KeyValueRows rows(Tensor like, RowMath math) {
            if (rows == null) {
                rows = new KeyValueRows(
                        like.scalar_type(), Math.toIntExact(like.size(1)), Math.toIntExact(like.size(2)), most, math);
            }

            return rows;
        }

        private void takeBeginning(Layer other, int count) {
            if (other.tensors != null) {
                append(
                        other.tensors.keys().narrow(0, 0, count),
                        other.tensors.values().narrow(0, 0, count));
            }

            if (other.rows != null) {
                rows = other.rows.beginning(count, most);
            }
        }

        /** Keeps those of the next tokens on a device, and returns all: a view. */
        KeysAndValues append(Tensor keys, Tensor values) {
            if (tensors == null) {
                tensors = new KeysAndValues(room(keys), room(values));
            }

            long count = keys.size(0);
            tensors.keys().narrow(0, tokens, count).copy_(keys);
            tensors.values().narrow(0, tokens, count).copy_(values);
            tokens += count;
            return kept();
        }

        /** Those that are kept on a device: a view. */
        KeysAndValues kept() {
            if (tensors == null) {
                throw new IllegalStateException("Cannot attend to keys before any are kept");
            }

            return new KeysAndValues(
                    tensors.keys().narrow(0, 0, tokens), tensors.values().narrow(0, 0, tokens));
        }

        private Tensor room(Tensor like) {
            return TensorScope.detached(
                    () -> TensorMemory.empty(like.device(), like.scalar_type(), most, like.size(1), like.size(2)));
        }

        private void clear() {
            if (tensors != null) {
                tensors.keys().releaseReference();
                tensors.values().releaseReference();
            }

            if (rows != null) {
                rows.close();
            }

            recurrent.close();
            tensors = null;
            rows = null;
            tokens = 0;
        }
    }
}
