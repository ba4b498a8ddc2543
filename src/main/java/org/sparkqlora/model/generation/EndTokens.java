package org.sparkqlora.model.generation;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.sparkqlora.tokenizer.ModelTokenizer;
import org.sparkqlora.weights.family.GenerationConfigJson;
import org.sparkqlora.weights.family.ModelConfig;

/** The tokens that end an answer: all that {@code generation_config.json}, {@code config.json} or the tokenizer names. */
public final class EndTokens {
    private EndTokens() {}

    public static Set<Integer> of(Path folder, ModelConfig config, ModelTokenizer tokenizer) {
        Set<Integer> ids = new HashSet<>(GenerationConfigJson.eosIds(folder));
        ids.addAll(config.eosIds());
        tokenizer.eos().ifPresent(ids::add);
        return ids;
    }
}
