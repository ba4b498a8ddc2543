package org.sparkqlora.run.generate;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.Prompt;
import org.sparkqlora.model.BoundParameters;
import org.sparkqlora.model.generation.EndTokens;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.generation.PromptedText;
import org.sparkqlora.model.generation.TokenLosses;
import org.sparkqlora.options.SamplingOptions;
import org.sparkqlora.run.model.AdapterStart;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.tokenizer.PromptEncoder;
import org.sparkqlora.tokenizer.TextStream;
import org.sparkqlora.train.DecoderGradientModel;
import org.sparkqlora.train.FolderModelSource;

/** A model with its tokenizer, ready to answer in this process. */
public final class Answers implements AutoCloseable {
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
        ModelTokenizer tokenizer = ModelTokenizer.open(
                source.local(), chatTemplate, start.vocabulary().added());
        try {
            return open(source, tokenizer, start);
        } catch (RuntimeException | Error e) {
            tokenizer.close();
            throw e;
        }
    }

    private static Answers open(FolderModelSource source, ModelTokenizer tokenizer, AdapterStart start) {
        DecoderGradientModel model = source.open(Runtime.getRuntime().availableProcessors(), List.of());
        try {
            Set<Integer> endIds = EndTokens.of(source.local(), model.decoder().config(), tokenizer);
            return new Answers(tokenizer, endIds, model, model.decoder().bind(start.parameters(model, 0)));
        } catch (RuntimeException | Error e) {
            model.close();
            throw e;
        }
    }

    /**
     * The answer, up to the end of the turn.
     *
     * @param losses gets those of its tokens; null for none
     * @param sink gets the text as it grows, in whole characters
     */
    Answer to(String prompt, SamplingOptions choice, @Nullable TokenLosses losses, Consumer<String> sink) {
        TextStream text = new TextStream(tokenizer);
        int[] asked = new PromptEncoder(tokenizer).encode(new Prompt.Question(prompt));
        GenerationSpec spec = choice.spec(endIds).ofText(0);
        int[] ids = model.decoder()
                .generate(parameters, new PromptedText(asked, spec, losses), id -> sink.accept(text.add(id)));
        sink.accept(text.end());
        return new Answer(tokenizer.decode(ids).strip(), ids.length, losses);
    }

    @Override
    public void close() {
        parameters.close();
        model.close();
        tokenizer.close();
    }

    /**
     * An answer of a model.
     *
     * @param text without control tokens
     * @param tokens how many it took
     * @param losses of these and of the one that ended it; null where nobody asked for them
     */
    public record Answer(String text, int tokens, @Nullable TokenLosses losses) {
        static Answer of(int[] ids, ModelTokenizer tokenizer) {
            return new Answer(tokenizer.decode(ids).strip(), ids.length, null);
        }
    }
}
