package org.sparkqlora.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.ChatMessage;
import org.sparkqlora.data.ChatTemplate;
import org.sparkqlora.model.BoundParameters;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.train.DecoderGradientModel;
import org.sparkqlora.train.FolderModelSource;

/** A model with its tokenizer, ready to answer in this process. */
final class Answers implements AutoCloseable {
    private final ModelTokenizer tokenizer;
    private final DecoderGradientModel model;
    private final BoundParameters parameters;

    private Answers(ModelTokenizer tokenizer, DecoderGradientModel model, BoundParameters parameters) {
        this.tokenizer = tokenizer;
        this.model = model;
        this.parameters = parameters;
    }

    static Answers open(FolderModelSource source, AdapterStart start, @Nullable Path chatTemplate) {
        ModelTokenizer tokenizer = ModelEncoders.openTokenizer(Path.of(source.folder()), chatTemplate);
        try {
            return open(tokenizer, source.open(Runtime.getRuntime().availableProcessors()), start);
        } catch (RuntimeException e) {
            tokenizer.close();
            throw e;
        }
    }

    private static Answers open(ModelTokenizer tokenizer, DecoderGradientModel model, AdapterStart start) {
        try {
            return new Answers(tokenizer, model, model.decoder().bind(start.parameters(model, 0)));
        } catch (RuntimeException e) {
            model.close();
            throw e;
        }
    }

    /** The likeliest answer, up to the end of the turn. */
    Answer to(String prompt, int maxNewTokens) {
        int[] ids = model.decoder().generateGreedy(parameters, encode(prompt), maxNewTokens, this::ends);
        return new Answer(tokenizer.decode(ids).strip(), ids.length);
    }

    @Override
    public void close() {
        parameters.close();
        model.close();
        tokenizer.close();
    }

    private int[] encode(String prompt) {
        Optional<ChatTemplate> template = tokenizer.chatTemplate();
        return template.isPresent()
                ? tokenizer.encodeWithoutSpecials(
                        template.get().renderPrompt(List.of(ChatMessage.of("user", prompt)), List.of()))
                : tokenizer.encode(prompt);
    }

    private boolean ends(int id) {
        return model.decoder().config().eosIds().contains(id) || tokenizer.eos().orElse(-1) == id;
    }

    /**
     * What a model answered.
     *
     * @param text without control tokens
     * @param tokens how many it took
     */
    record Answer(String text, int tokens) {}
}
