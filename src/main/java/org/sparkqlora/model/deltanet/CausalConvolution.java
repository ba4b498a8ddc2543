package org.sparkqlora.model.deltanet;

import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * A convolution over the tokens of each document, channel by channel: {@code y_t = sum_l w_l x_(t - l)} for {@code l = 0 .. K - 1}, where
 * before the first token of a document there are zeros, or the last K - 1 inputs of its past.
 */
record CausalConvolution(List<Span> documents, int rows, int kernel) {
    CausalConvolution {
        documents = List.copyOf(documents);
    }

    /**
     * The sums, (rows, channels).
     *
     * @param input (rows, channels)
     * @param weight (channels, 1, K), that of the present token last
     * @param tails of each document's past, (documents x (K - 1), channels)
     */
    Tensor apply(Tensor input, Tensor weight, Tensor tails) {
        Tensor all = Chunks.withZeros(torch.cat(new TensorVector(input, tails), 0));
        Tensor sum = input.mul(weight.select(2, kernel - 1).squeeze(1));
        for (int lag = 1; lag < kernel; lag++) {
            Tensor shifted = torch.index_select(all, 0, Chunks.index(sources(lag), input));
            sum = sum.add(shifted.mul(weight.select(2, kernel - 1 - lag).squeeze(1)));
        }

        return sum;
    }

    /** The last K - 1 inputs of each document, for {@link #apply} of what follows. */
    Tensor tails(Tensor input, Tensor tails) {
        int width = kernel - 1;
        long[] sources = new long[documents.size() * width];
        for (int document = 0; document < documents.size(); document++) {
            for (int i = 0; i < width; i++) {
                int token = documents.get(document).length() - width + i;
                sources[document * width + i] = source(document, token);
            }
        }

        return torch.index_select(torch.cat(new TensorVector(input, tails), 0), 0, Chunks.index(sources, input));
    }

    /** Where each row finds the input {@code lag} tokens before it; behind all inputs for rows of no document. */
    private long[] sources(int lag) {
        long[] sources = new long[rows];
        Arrays.fill(sources, rows + (long) documents.size() * (kernel - 1));
        for (int document = 0; document < documents.size(); document++) {
            Span span = documents.get(document);
            for (int token = 0; token < span.length(); token++) {
                sources[span.start() + token] = source(document, token - lag);
            }
        }

        return sources;
    }

    /** The row of a document's token, one before its first being of its past. */
    private long source(int document, int token) {
        return token >= 0 ? documents.get(document).start() + token : rows + (document + 1L) * (kernel - 1) + token;
    }
}
