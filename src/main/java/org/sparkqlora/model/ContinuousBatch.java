package org.sparkqlora.model;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.generation.PromptedText;
import org.sparkqlora.weights.family.ModelConfig;

/**
 * Texts that grow together, a token of each in a pass; when one ends, the next takes its place (continuous batching, as in Orca, OSDI 2022).
 *
 * <p>A text's tokens do not depend on its neighbours: prompts pass alone, every pass of tokens has the same number of rows, and each text
 * attends to keys and values of its own.
 */
final class ContinuousBatch {
    /** Of the keys and values of all texts at their longest, unless one alone needs more. */
    private static final long CACHE_BYTES = 1L << 30;

    private final ModelPass pass;
    private final Consumer<int[]> sink;
    private final long bytesOfToken;
    private final List<Growing> growing = new ArrayList<>();
    private final Deque<Growing> inOrder = new ArrayDeque<>();

    /** @param sink gets the new tokens of each text, in their order */
    ContinuousBatch(ModelPass pass, Consumer<int[]> sink) {
        ModelConfig config = pass.model().config();
        this.pass = pass;
        this.sink = sink;
        this.bytesOfToken = 2L * config.layers() * config.keyValueSize() * Float.BYTES;
    }

    void run(Iterator<PromptedText> texts) {
        try {
            PromptedText waiting = nextOf(texts);
            while (waiting != null || !growing.isEmpty()) {
                while (waiting != null && hasRoomFor(waiting)) {
                    begin(waiting);
                    waiting = nextOf(texts);
                }

                grow();
                handOver();
            }
        } finally {
            growing.forEach(Growing::close);
        }
    }

    private static @Nullable PromptedText nextOf(Iterator<PromptedText> texts) {
        return texts.hasNext() ? texts.next() : null;
    }

    private boolean hasRoomFor(PromptedText text) {
        long tokens = longest(text)
                + growing.stream().mapToLong(each -> longest(each.text)).sum();
        return growing.isEmpty() || growing.size() < DecoderModel.TEXTS_AT_ONCE && tokens * bytesOfToken <= CACHE_BYTES;
    }

    private static long longest(PromptedText text) {
        return (long) text.prompt().length + text.spec().maxNewTokens();
    }

    private void begin(PromptedText text) {
        Growing next = new Growing(text, new Decoding(pass));
        growing.add(next);
        inOrder.add(next);
        next.choose(next.decoding.next(text.prompt()));
    }

    /** Each text by one token, where it has not ended. */
    private void grow() {
        endDone();
        List<Growing> together = new ArrayList<>();
        for (Growing text : growing) {
            if (text.decoding.canJoin()) {
                together.add(text);
            } else {
                text.choose(text.decoding.next(new int[] {text.last()}));
            }
        }

        if (!together.isEmpty()) {
            growTogether(together);
        }

        endDone();
    }

    private void growTogether(List<Growing> texts) {
        List<DocumentBatch.Piece> pieces =
                texts.stream().map(text -> text.decoding.join(text.last())).toList();
        List<KeyValueCache> caches =
                texts.stream().map(text -> text.decoding.cache()).toList();
        float[] logits = pass.lastLogits(DocumentBatch.continued(pieces, DecoderModel.TEXTS_AT_ONCE), caches);
        int width = logits.length / texts.size();
        for (int i = 0; i < texts.size(); i++) {
            texts.get(i).choose(Arrays.copyOfRange(logits, i * width, (i + 1) * width));
        }
    }

    private void endDone() {
        growing.stream().filter(text -> text.hasEnded).forEach(Growing::close);
        growing.removeIf(text -> text.hasEnded);
    }

    private void handOver() {
        for (Growing first = inOrder.peek(); first != null && first.hasEnded; first = inOrder.peek()) {
            sink.accept(inOrder.remove().made());
        }
    }

    /** A text and the tokens that were chosen for it. */
    private static final class Growing {
        private final PromptedText text;
        private final Decoding decoding;
        private final int[] chosen;
        private int count;
        private boolean hasEnded;

        private Growing(PromptedText text, Decoding decoding) {
            this.text = text;
            this.decoding = decoding;
            this.chosen = new int[text.spec().maxNewTokens()];
        }

        private void choose(float[] logits) {
            int next = text.spec().choose(logits, count);
            if (text.spec().endIds().contains(next)) {
                hasEnded = true;
                return;
            }

            chosen[count++] = next;
            hasEnded = count == chosen.length;
        }

        private int last() {
            return chosen[count - 1];
        }

        private int[] made() {
            return Arrays.copyOf(chosen, count);
        }

        private void close() {
            decoding.close();
        }
    }
}
