package org.sparkqlora.model;

import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.sparkqlora.model.CausalAttention.Gradients;
import org.sparkqlora.model.DocumentBatch.Document;
import org.sparkqlora.tensor.TensorScope;

/**
 * Causal attention of each document by libtorch's {@code scaled_dot_product_attention}, which on GPUs holds no probabilities (flash
 * attention, arXiv 2205.14135). Its gradient is libtorch's own, taken of the forward pass done again. Rows of no document attend to nothing:
 * zeros.
 *
 * @param scale factor on the products of queries and keys
 */
record FusedAttention(double scale) {
    // T tokens, H query heads, G key heads, d head size.

    /** The output, (T, H, d), of queries (T, H, d), keys and values (T, G, d). */
    Tensor forward(Tensor query, Tensor key, Tensor value, DocumentBatch batch) {
        Tensor output = torch.zeros_like(query);
        for (Document document : batch.documents()) {
            TensorScope.run(() -> {
                Tensor mixed = attended(heads(query, document), heads(key, document), heads(value, document));
                rows(output, document).copy_(tokens(mixed));
            });
        }

        return output;
    }

    /** Gradients of queries, keys and values, given that of the output. */
    Gradients backward(Tensor outputGradient, Tensor query, Tensor key, Tensor value, DocumentBatch batch) {
        Gradients gradients = new Gradients(torch.zeros_like(query), torch.zeros_like(key), torch.zeros_like(value));
        for (Document document : batch.documents()) {
            TensorScope.run(() -> {
                Tensor q = heads(query, document).detach().requires_grad_(true);
                Tensor k = heads(key, document).detach().requires_grad_(true);
                Tensor v = heads(value, document).detach().requires_grad_(true);
                TensorVector parts = torch.grad(
                        new TensorVector(attended(q, k, v)),
                        new TensorVector(q, k, v),
                        new TensorVector(heads(outputGradient, document)),
                        new BoolOptional(),
                        false,
                        false);
                rows(gradients.query(), document).copy_(tokens(parts.get(0)));
                rows(gradients.key(), document).copy_(tokens(parts.get(1)));
                rows(gradients.value(), document).copy_(tokens(parts.get(2)));
            });
        }

        return gradients;
    }

    private Tensor attended(Tensor query, Tensor key, Tensor value) {
        return torch.scaled_dot_product_attention(
                query,
                key,
                value,
                new TensorOptional(),
                0,
                true,
                new DoubleOptional(scale),
                query.size(1) != key.size(1));
    }

    private static Tensor rows(Tensor tensor, Document document) {
        return tensor.narrow(0, document.start(), document.length());
    }

    /** A document's part of (T, heads, d) as (1, heads, tokens, d). */
    private static Tensor heads(Tensor tensor, Document document) {
        return rows(tensor, document).transpose(0, 1).unsqueeze(0);
    }

    /** (1, heads, tokens, d) as (tokens, heads, d). */
    private static Tensor tokens(Tensor heads) {
        return heads.squeeze(0).transpose(0, 1);
    }
}
