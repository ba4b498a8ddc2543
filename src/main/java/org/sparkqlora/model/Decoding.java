package org.sparkqlora.model;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.IntConsumer;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.weights.family.LayerTraits;
import org.sparkqlora.weights.family.ModelConfig;

/** One text that passes a model piece by piece. */
final class Decoding implements AutoCloseable {
    private final ModelPass pass;
    private final KeyValueCache cache;
    private int[] passed = {};

    Decoding(ModelPass pass) {
        this.pass = pass;
        this.cache = new KeyValueCache(pass.model().config().layers());
    }

    /** Continues {@code prompt}; see {@link DecoderModel#generate}. */
    int[] generate(int[] prompt, GenerationSpec spec, IntConsumer sink) {
        int[] made = new int[spec.maxNewTokens()];
        int[] piece = prompt;
        for (int count = 0; count < made.length; count++) {
            int next = spec.choose(next(piece), count);
            if (spec.endIds().contains(next)) {
                return Arrays.copyOf(made, count);
            }

            made[count] = next;
            sink.accept(next);
            piece = new int[] {next};
        }

        return made;
    }

    /** Takes the next tokens of the text, and returns the logits of the token behind them. */
    float[] next(int[] piece) {
        int past = passed.length;
        passed = Arrays.copyOf(passed, past + piece.length);
        System.arraycopy(piece, 0, passed, past, piece.length);
        if (past > 0 && keysTurnOtherwise(past, passed.length)) {
            cache.close();
            return pass.lastLogits(DocumentBatch.continued(passed, 0), List.of(cache));
        }

        return pass.lastLogits(DocumentBatch.continued(piece, past), List.of(cache));
    }

    /** Whether the next token can pass together with others': unless keys of the past have to be turned anew. */
    boolean canJoin() {
        return !keysTurnOtherwise(passed.length, passed.length + 1);
    }

    /** Takes the next token of the text, for a pass with others. */
    DocumentBatch.Piece join(int token) {
        int past = passed.length;
        passed = Arrays.copyOf(passed, past + 1);
        passed[past] = token;
        return new DocumentBatch.Piece(new int[] {token}, past);
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
        return config.layerTraits().stream()
                .map(LayerTraits::rotary)
                .flatMap(Optional::stream)
                .distinct()
                .anyMatch(rotary -> !Arrays.equals(
                        rotary.frequencies(config.headSize(), before), rotary.frequencies(config.headSize(), now)));
    }
}
