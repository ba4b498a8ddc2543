package org.sparkqlora.model;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.sparkqlora.model.generation.PromptedText;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.TokenMixing;

/** A text that passes a model piece by piece, and the tokens that were chosen to continue it. */
final class Decoding implements AutoCloseable {
    private final ModelPass pass;
    private final PromptedText text;
    private final KeyValueCache cache;
    private final int[] chosen;
    private int count;
    private boolean hasEnded;
    private int[] passed = {};

    Decoding(ModelPass pass, PromptedText text) {
        this.pass = pass;
        this.text = text;
        this.cache = new KeyValueCache(pass.model().config().layers(), text.longest());
        this.chosen = new int[text.spec().maxNewTokens()];
    }

    /** Continues the text to its end; see {@link DecoderModel#generate}. */
    int[] generate(IntConsumer sink) {
        begin();
        while (!hasEnded) {
            sink.accept(last());
            grow();
        }

        if (count == chosen.length) {
            sink.accept(last());
        }

        return made();
    }

    /** Lets the prompt pass, and chooses the first token. */
    void begin() {
        choose(next(text.prompt()));
    }

    /** Lets the token that was chosen last pass alone, and chooses the next. */
    void grow() {
        choose(next(new int[] {last()}));
    }

    /** Chooses the next token. */
    void choose(float[] logits) {
        int next = text.choose(logits, count);
        if (text.spec().endIds().contains(next)) {
            hasEnded = true;
            return;
        }

        chosen[count++] = next;
        hasEnded = count == chosen.length;
    }

    PromptedText text() {
        return text;
    }

    boolean hasEnded() {
        return hasEnded;
    }

    private int last() {
        return chosen[count - 1];
    }

    /** The new tokens so far, without the one that ended the text. */
    int[] made() {
        return Arrays.copyOf(chosen, count);
    }

    /** Takes the next tokens of the text, and returns the logits of the token behind them. */
    float[] next(int[] piece) {
        int past = passed.length;
        passed = Arrays.copyOf(passed, past + piece.length);
        System.arraycopy(piece, 0, passed, past, piece.length);
        if (past > 0 && keysTurnOtherwise(past, passed.length)) {
            cache.close();
            return logits(DocumentBatch.continued(passed, 0));
        }

        return logits(DocumentBatch.continued(piece, past));
    }

    private float[] logits(DocumentBatch batch) {
        float[][] last = new float[1][];
        pass.lastLogits(batch, List.of(cache), (only, logits) -> last[0] = logits.clone());
        return last[0];
    }

    /** Whether the next token can pass together with others': unless keys of the past have to be turned anew. */
    boolean canJoin() {
        return passed.length == 0 || !keysTurnOtherwise(passed.length, passed.length + 1);
    }

    /** Tokens with which the prompt and another text begin, its last token apart. */
    int sharedWith(Decoding other) {
        int same = Arrays.mismatch(text.prompt(), other.passed);
        return Math.min(same < 0 ? text.prompt().length : same, text.prompt().length - 1);
    }

    /** Whether keys and values of the first {@code count} tokens can be taken from another text, and are worth it. */
    boolean canTakeBeginning(Decoding other, int count) {
        return count >= DocumentBatch.LEAST_SHARED
                && pass.model().config().layersOf(TokenMixing.DELTA_NET) == 0
                && !keysTurnOtherwise(other.passed.length, text.prompt().length);
    }

    /** Takes the keys and values of the first {@code count} tokens from another text. */
    void takeBeginning(Decoding other, int count) {
        cache.takeBeginning(other.cache, count);
        passed = Arrays.copyOf(text.prompt(), count);
    }

    /** What passes next, together with others': what is left of the prompt, then the token that was chosen last. */
    DocumentBatch.Piece join() {
        int past = passed.length;
        if (past < text.prompt().length) {
            passed = text.prompt();
            return new DocumentBatch.Piece(Arrays.copyOfRange(passed, past, passed.length), past);
        }

        passed = Arrays.copyOf(passed, past + 1);
        passed[past] = last();
        return new DocumentBatch.Piece(new int[] {last()}, past);
    }

    KeyValueCache cache() {
        return cache;
    }

    @Override
    public void close() {
        cache.close();
    }

    /** Whether keys that were turned in a text of one length would be turned otherwise in one of another length. */
    private boolean keysTurnOtherwise(int before, int now) {
        ModelConfig config = pass.model().config();
        return IntStream.range(0, config.layers())
                .mapToObj(layer -> Rotary.Shape.of(config, layer))
                .flatMap(Optional::stream)
                .distinct()
                .anyMatch(turn -> !Arrays.equals(turn.frequencies(before), turn.frequencies(now)));
    }
}
