package org.sparkqlora.run.generate;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.sparkqlora.checkpoint.AdapterFolder;
import org.sparkqlora.model.generation.GenerationSpec;
import org.sparkqlora.model.generation.Sampling;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.model.layout.ModelSpec;
import org.sparkqlora.options.ModelOptions;
import org.sparkqlora.options.UsedAdapters;
import org.sparkqlora.run.model.AdapterSet;
import org.sparkqlora.run.model.AdapterStart;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.job.AnswerText;
import org.sparkqlora.storage.Sha256;
import org.sparkqlora.weights.SourceFingerprint;

/** The settings that decide an answer beside its prompt, in the words of the command line. Driver only. */
public final class AnswerFacts {
    private static final int DIGITS = 16;

    private AnswerFacts() {}

    public static Map<String, String> of(
            ModelOptions options, UsedAdapters used, AdapterSet adapters, ModelSpec spec, AnswerTokens tokens) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("the hash of --model", SourceFingerprint.ofContent(options.folder()));
        facts.put("the hash of --adapter", adapter(adapters.unnamed()));
        facts.put(
                "the hash of tokenizer and chat template",
                hash(tokens.tokenizer("").fingerprint()));
        if (adapters.isNamed()) {
            facts.put("--adapter-column", used.column());
            for (String name : used.folders().tailMap("\0").keySet()) {
                facts.put("the hash of --adapter " + name, named(name, adapters, tokens));
            }
        }

        GenerationSpec choice = tokens.spec("");
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

    /** These facts, with that losses are told. */
    public static Map<String, String> told(Map<String, String> facts, AnswerText.Losses losses) {
        Map<String, String> told = new LinkedHashMap<>(facts);
        if (losses == AnswerText.Losses.TOLD) {
            told.put("--answer-losses", "true");
        }

        return told;
    }

    private static String named(String name, AdapterSet adapters, AnswerTokens tokens) {
        return hash(adapter(adapters.start(name))
                + tokens.tokenizer(name).fingerprint()
                + tokens.spec(name).endIds().stream().sorted().toList());
    }

    private static String adapter(AdapterStart start) {
        Location folder = start.folder();
        return folder == null ? "none" : hash(AdapterFolder.hash(folder.files(), folder.path()) + start.lora());
    }

    private static String hash(String text) {
        return Sha256.hex(text.getBytes(StandardCharsets.UTF_8)).substring(0, DIGITS);
    }
}
