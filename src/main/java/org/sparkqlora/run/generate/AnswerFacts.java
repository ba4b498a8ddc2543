package org.sparkqlora.run.generate;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.sparkqlora.checkpoint.AdapterFolder;
import org.sparkqlora.model.Method;
import org.sparkqlora.model.ModelSpec;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.generation.Sampling;
import org.sparkqlora.options.ModelOptions;
import org.sparkqlora.run.model.AdapterStart;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.storage.Sha256;
import org.sparkqlora.weights.SourceFingerprint;

/** What decides an answer beside its prompt, in the words of the command line. Driver only. */
public final class AnswerFacts {
    private static final int DIGITS = 16;

    private AnswerFacts() {}

    /** @param tokenizer its fingerprint, with that of the chat template */
    public static Map<String, String> of(
            ModelOptions options, AdapterStart start, ModelSpec spec, GenerationSpec choice, String tokenizer) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("the hash of --model", SourceFingerprint.ofContent(options.folder()));
        facts.put("the hash of --adapter", adapter(start));
        facts.put("the hash of tokenizer and chat template", hash(tokenizer));
        facts.put("--method", spec.method().optionName());
        facts.put("--precision", spec.precision().optionName());
        if (spec.method() == Method.QLORA) {
            facts.put("--quant", spec.quant().toString());
        }

        facts.put("--max-new-tokens", String.valueOf(choice.maxNewTokens()));
        facts.put("the end tokens", choice.endIds().stream().sorted().toList().toString());
        Sampling sampling = choice.sampling();
        facts.put("--temperature", String.valueOf(sampling.temperature()));
        if (sampling.temperature() > 0) {
            facts.put("--top-k", String.valueOf(sampling.topK()));
            facts.put("--top-p", String.valueOf(sampling.topP()));
            facts.put("--seed", String.valueOf(sampling.seed()));
        }

        return facts;
    }

    private static String adapter(AdapterStart start) {
        Location folder = start.folder();
        return folder == null ? "none" : hash(AdapterFolder.hash(folder.files(), folder.path()) + start.lora());
    }

    private static String hash(String text) {
        return Sha256.hex(text.getBytes(StandardCharsets.UTF_8)).substring(0, DIGITS);
    }
}
