package org.sparkqlora.model;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.generation.KeyValueRows;
import org.sparkqlora.model.generation.PromptedText;
import org.sparkqlora.model.layout.Precision;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.TokenMixing;

/**
 * Texts that grow together: a pass takes a token of each and the prompts of those that begin; when one ends, the next takes its place
 * (continuous batching, as in Orca, OSDI 2022).
 *
 * <p>What a prompt has in common with the beginning of a text that grows does not pass again: its keys and values are taken from there.
 *
 * <p>A text's tokens do not depend on its neighbours: each text attends to keys and values of its own, and a row of
 * a product with a weight is the same whatever rows pass with it, their number being a multiple of {@link DocumentBatch#ROWS}: in bfloat16
 * bit for bit, in float32 to the rounding of OpenBLAS, which has kernels of its own for few rows.
 */
final class ContinuousBatch {
    /**
     * The bounds of what grows together.
     *
     * @param texts at most
     * @param cacheBytes of the keys, values and states of all texts at their longest, unless one alone needs more
     * @param promptTokens of the texts that begin in a pass, unless one alone has more: enough to make up for the weights, which a pass
     *     brings to full width
     */
    record Limits(int texts, long cacheBytes, int promptTokens) {
        static final Limits DEFAULT = new Limits(DecoderModel.TEXTS_AT_ONCE, 1L << 30, 512);
    }

    private final ModelPass pass;
    private final Limits limits;
    private final Consumer<int[]> sink;
    private final int keyWidths;
    private final int numberBytes;
    private final long stateBytes;
    private final List<Decoding> growing = new ArrayList<>();
    private final Deque<Decoding> inOrder = new ArrayDeque<>();

    /**
     * @param precision of keys and values
     * @param sink gets the new tokens of each text, in their order
     */
    ContinuousBatch(ModelPass pass, Precision precision, Limits limits, Consumer<int[]> sink) {
        ModelConfig config = pass.model().config();
        this.pass = pass;
        this.limits = limits;
        this.sink = sink;
        this.keyWidths = IntStream.range(0, config.layers())
                .filter(layer -> config.mixing(layer) == TokenMixing.ATTENTION && config.keysOf(layer) == layer)
                .map(config::keyValueSize)
                .sum();
        this.numberBytes = precision.bytes();
        this.stateBytes = config.traits()
                .deltaNet()
                .map(shape -> config.layersOf(TokenMixing.DELTA_NET) * shape.stateSize() * Float.BYTES)
                .orElse(0L);
    }

    void run(Iterator<PromptedText> texts) {
        try {
            Decoding waiting = nextOf(texts);
            while (waiting != null || !growing.isEmpty()) {
                List<Decoding> passing = growing();
                int prompts = 0;
                while (waiting != null && hasRoomFor(waiting, prompts)) {
                    prompts += begin(waiting);
                    passing.add(waiting);
                    waiting = nextOf(texts);
                }

                pass(passing);
                handOver();
            }
        } finally {
            growing.forEach(Decoding::close);
        }
    }

    private @Nullable Decoding nextOf(Iterator<PromptedText> texts) {
        return texts.hasNext() ? new Decoding(pass, texts.next()) : null;
    }

    /** @param prompts tokens of those that begin in this pass so far */
    private boolean hasRoomFor(Decoding waiting, int prompts) {
        if (growing.isEmpty()) {
            return true;
        }

        PromptedText text = waiting.text();
        int alone = text.prompt().length - Beginning.of(waiting, growing).tokens();
        boolean fits = prompts == 0 || prompts + alone <= limits.promptTokens();
        long bytes = bytesOf(text)
                + growing.stream().mapToLong(each -> bytesOf(each.text())).sum();
        return fits && growing.size() < limits.texts() && bytes <= limits.cacheBytes();
    }

    /** Lets a text grow with the others, and returns how many tokens of its prompt are to pass. */
    private int begin(Decoding next) {
        Beginning shared = Beginning.of(next, growing);
        shared.of().ifPresent(other -> next.takeBeginning(other, shared.tokens()));
        growing.add(next);
        inOrder.add(next);
        return next.text().prompt().length - shared.tokens();
    }

    /**
     * The longest beginning of a prompt that is one of a text, too.
     *
     * @param of which text; empty if there is none
     * @param tokens of it
     */
    private record Beginning(Optional<Decoding> of, int tokens) {
        static Beginning of(Decoding text, List<Decoding> others) {
            return others.stream()
                    .max(Comparator.comparingInt(text::sharedWith))
                    .filter(other -> text.canTakeBeginning(other, text.sharedWith(other)))
                    .map(other -> new Beginning(Optional.of(other), text.sharedWith(other)))
                    .orElse(new Beginning(Optional.empty(), 0));
        }
    }

    private long bytesOf(PromptedText text) {
        return numberBytes * KeyValueRows.numbers(text.longest(), keyWidths) + stateBytes;
    }

    /** The texts of which a token passes with others'. */
    private List<Decoding> growing() {
        List<Decoding> together = new ArrayList<>();
        for (Decoding text : growing) {
            if (text.canJoin()) {
                together.add(text);
            } else {
                text.grow();
            }
        }

        return together;
    }

    private void pass(List<Decoding> texts) {
        List<DocumentBatch.Piece> pieces = texts.stream().map(Decoding::join).toList();
        List<KeyValueCache> caches = texts.stream().map(Decoding::cache).toList();
        if (!texts.isEmpty()) {
            pass.lastLogits(
                    DocumentBatch.continued(pieces),
                    caches,
                    (text, logits) -> texts.get(text).choose(logits));
        }

        growing.stream().filter(Decoding::hasEnded).forEach(Decoding::close);
        growing.removeIf(Decoding::hasEnded);
    }

    private void handOver() {
        for (Decoding first = inOrder.peek(); first != null && first.hasEnded(); first = inOrder.peek()) {
            sink.accept(inOrder.remove().made());
        }
    }
}
