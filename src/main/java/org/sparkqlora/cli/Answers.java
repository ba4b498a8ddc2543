package org.sparkqlora.cli;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.ChatMessage;
import org.sparkqlora.data.ChatTemplate;
import org.sparkqlora.model.BoundParameters;
import org.sparkqlora.model.GenerationSpec;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.tokenizer.TextStream;
import org.sparkqlora.train.DecoderGradientModel;
import org.sparkqlora.train.FolderModelSource;
import org.sparkqlora.weights.GenerationConfigJson;

/** A model with its tokenizer, ready to answer in this process. */
final class Answers implements AutoCloseable {
    private final ModelTokenizer tokenizer;
    private final Set<Integer> endIds;
    private final DecoderGradientModel model;
    private final BoundParameters parameters;

    private Answers(
            ModelTokenizer tokenizer, Set<Integer> endIds, DecoderGradientModel model, BoundParameters parameters) {
        this.tokenizer = tokenizer;
        this.endIds = endIds;
        this.model = model;
        this.parameters = parameters;
    }

    static Answers open(FolderModelSource source, AdapterStart start, @Nullable Path chatTemplate) {
        ModelTokenizer tokenizer = ModelEncoders.openTokenizer(Path.of(source.folder()), chatTemplate);
        try {
            Set<Integer> endIds = new HashSet<>(GenerationConfigJson.eosIds(Path.of(source.folder())));
            tokenizer.eos().ifPresent(endIds::add);
            return open(tokenizer, endIds, source.open(Runtime.getRuntime().availableProcessors()), start);
        } catch (RuntimeException e) {
            tokenizer.close();
            throw e;
        }
    }

    private static Answers open(
            ModelTokenizer tokenizer, Set<Integer> endIds, DecoderGradientModel model, AdapterStart start) {
        try {
            endIds.addAll(model.decoder().config().eosIds());
            return new Answers(tokenizer, endIds, model, model.decoder().bind(start.parameters(model, 0)));
        } catch (RuntimeException e) {
            model.close();
            throw e;
        }
    }

    /**
     * The likeliest answer, up to the end of the turn.
     *
     * @param sink gets the text as it grows, in whole characters
     */
    Answer to(String prompt, int maxNewTokens, Consumer<String> sink) {
        TextStream text = new TextStream(tokenizer);
        GenerationSpec spec = new GenerationSpec(maxNewTokens, endIds);
        int[] ids = model.decoder().generate(parameters, encode(prompt), spec, id -> sink.accept(text.add(id)));
        sink.accept(text.end());
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

    /**
     * What a model answered.
     *
     * @param text without control tokens
     * @param tokens how many it took
     */
    record Answer(String text, int tokens) {}
}
