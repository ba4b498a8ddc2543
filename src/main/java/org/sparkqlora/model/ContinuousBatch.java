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
import org.sparkqlora.weights.family.TokenMixing;

/**
 * Texts that grow together, a token of each in a pass; when one ends, the next takes its place (continuous batching, as in Orca, OSDI 2022).
 *
 * <p>A text's tokens do not depend on its neighbours: prompts pass alone, every pass of tokens has the same number of rows, and each text
 * attends to keys and values of its own.
 */
final class ContinuousBatch {
    /** Of the keys, values and states of all texts at their longest, in float32, unless one alone needs more. */
    private static final long CACHE_BYTES = 1L << 30;

    private final ModelPass pass;
    private final Consumer<int[]> sink;
    private final long bytesOfToken;
    private final long bytesOfText;
    private final List<Decoding> growing = new ArrayList<>();
    private final Deque<Decoding> inOrder = new ArrayDeque<>();

    /** @param sink gets the new tokens of each text, in their order */
    ContinuousBatch(ModelPass pass, Consumer<int[]> sink) {
        ModelConfig config = pass.model().config();
        this.pass = pass;
        this.sink = sink;
        this.bytesOfToken = 2L * config.layersOf(TokenMixing.ATTENTION) * config.keyValueSize() * Float.BYTES;
        this.bytesOfText = config.traits()
                .deltaNet()
                .map(shape -> config.layersOf(TokenMixing.DELTA_NET) * shape.stateSize() * Float.BYTES)
                .orElse(0L);
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
            growing.forEach(Decoding::close);
        }
    }

    private static @Nullable PromptedText nextOf(Iterator<PromptedText> texts) {
        return texts.hasNext() ? texts.next() : null;
    }

    private boolean hasRoomFor(PromptedText text) {
        long tokens = longest(text)
                + growing.stream().mapToLong(each -> longest(each.text())).sum();
        long bytes = tokens * bytesOfToken + (growing.size() + 1L) * bytesOfText;
        return growing.isEmpty() || growing.size() < DecoderModel.TEXTS_AT_ONCE && bytes <= CACHE_BYTES;
    }

    private static long longest(PromptedText text) {
        return (long) text.prompt().length + text.spec().maxNewTokens();
    }

    private void begin(PromptedText text) {
        Decoding next = new Decoding(pass, text);
        growing.add(next);
        inOrder.add(next);
        next.begin();
    }

    /** Each text by one token, where it has not ended. */
    private void grow() {
        endDone();
        List<Decoding> together = new ArrayList<>();
        for (Decoding text : growing) {
            if (text.canJoin()) {
                together.add(text);
            } else {
                text.grow();
            }
        }

        growTogether(together);
        endDone();
    }

    private void growTogether(List<Decoding> texts) {
        if (texts.isEmpty()) {
            return;
        }

        List<DocumentBatch.Piece> pieces = texts.stream().map(Decoding::join).toList();
        List<KeyValueCache> caches = texts.stream().map(Decoding::cache).toList();
        float[] logits = pass.lastLogits(DocumentBatch.continued(pieces, DecoderModel.TEXTS_AT_ONCE), caches);
        int width = logits.length / texts.size();
        for (int i = 0; i < texts.size(); i++) {
            texts.get(i).choose(Arrays.copyOfRange(logits, i * width, (i + 1) * width));
        }
    }

    private void endDone() {
        growing.stream().filter(Decoding::hasEnded).forEach(Decoding::close);
        growing.removeIf(Decoding::hasEnded);
    }

    private void handOver() {
        for (Decoding first = inOrder.peek(); first != null && first.hasEnded(); first = inOrder.peek()) {
            sink.accept(inOrder.remove().made());
        }
    }
}
