package org.sparkqlora.run.generate;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.generation.EndTokens;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.options.ModelOptions;
import org.sparkqlora.options.SamplingOptions;
import org.sparkqlora.run.model.AdapterSet;
import org.sparkqlora.run.model.AdapterStart;
import org.sparkqlora.run.model.Vocabulary;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.weights.family.ModelConfig;

/** The tokenizer that a base has with each of its adapters, one for all that add the same tokens. Driver only. */
public final class AnswerTokens implements AutoCloseable {
    private final AdapterSet adapters;
    private final Map<Vocabulary, ModelTokenizer> open = new HashMap<>();
    private final Map<Vocabulary, GenerationSpec> specs = new HashMap<>();

    private AnswerTokens(AdapterSet adapters) {
        this.adapters = adapters;
    }

    /** @param chatTemplate in place of the model's own; null: its own */
    public static AnswerTokens open(
            ModelOptions model,
            ModelConfig config,
            @Nullable Path chatTemplate,
            AdapterSet adapters,
            SamplingOptions choice) {
        AnswerTokens tokens = new AnswerTokens(adapters);
        try {
            for (AdapterStart adapter : adapters.all().values()) {
                Vocabulary vocabulary = adapter.vocabulary();
                ModelTokenizer tokenizer = tokens.open.computeIfAbsent(
                        vocabulary, missing -> ModelTokenizer.open(model.folder(), chatTemplate, missing.added()));
                tokens.specs.put(vocabulary, choice.spec(EndTokens.of(model.folder(), config, tokenizer)));
            }

            return tokens;
        } catch (RuntimeException | Error e) {
            tokens.close();
            throw e;
        }
    }

    /** The tokenizer with the adapter of a name. */
    public ModelTokenizer tokenizer(String adapter) {
        return Optional.ofNullable(open.get(vocabulary(adapter))).orElseThrow();
    }

    /** How the adapter of a name answers. */
    public GenerationSpec spec(String adapter) {
        return Optional.ofNullable(specs.get(vocabulary(adapter))).orElseThrow();
    }

    private Vocabulary vocabulary(String adapter) {
        return adapters.start(adapter).vocabulary();
    }

    @Override
    public void close() {
        open.values().forEach(ModelTokenizer::close);
        open.clear();
    }
}
