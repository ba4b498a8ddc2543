package org.sparkqlora.spark.ui;

import java.util.List;
import java.util.Locale;

/**
 * The published files of a run, and how to use them elsewhere.
 *
 * @param name a short one, for other programs
 * @param base the model that trained
 * @param folder of the adapter, or of the whole model
 * @param kind which of the two
 * @param rank of the adapter, the largest where they differ; 0 of a whole model
 */
public record Published(String name, String base, String folder, Kind kind, int rank) {
    private static final List<Integer> VLLM_RANKS = List.of(1, 8, 16, 32, 64, 128, 256, 320, 512);

    /** The kind of published model. */
    public enum Kind {
        /** Low-rank factors and nothing else. */
        ADAPTER,
        /** Magnitudes (DoRA) or whole modules beside the factors, which servers do not add at run time. */
        RICH_ADAPTER,
        MODEL
    }

    String html() {
        return Html.section(
                "How to load it",
                switch (kind) {
                    case ADAPTER ->
                        block("PEFT", peft()) + block("vLLM", vllmAdapter()) + block("Ollama", ollamaAdapter());
                    case RICH_ADAPTER ->
                        block("PEFT", peft()) + block("vLLM", vllmMerged()) + block("Ollama", ollamaAdapter());
                    case MODEL ->
                        block("transformers", transformers())
                                + block("vLLM", "vllm serve " + folder)
                                + block("Ollama", ollama(folder));
                });
    }

    private String peft() {
        return """
                from peft import PeftModel
                from transformers import AutoModelForCausalLM, AutoTokenizer

                base = AutoModelForCausalLM.from_pretrained("%s")
                model = PeftModel.from_pretrained(base, "%s")
                tokenizer = AutoTokenizer.from_pretrained("%s")""".formatted(base, folder, base);
    }

    private String vllmAdapter() {
        int room = VLLM_RANKS.stream().filter(each -> each >= rank).findFirst().orElse(rank);
        return String.format(
                Locale.ROOT,
                "vllm serve %s --enable-lora --max-lora-rank %d --lora-modules %s=%s",
                base,
                room,
                shortName(),
                folder);
    }

    private String vllmMerged() {
        return merge() + "\nvllm serve " + merged();
    }

    private String ollamaAdapter() {
        return merge() + "\n" + ollama(merged());
    }

    private String merge() {
        return "spark-submit spark-qlora.jar merge --model %s --adapter %s --output %s"
                .formatted(base, folder, merged());
    }

    private String merged() {
        return "./" + shortName() + "-merged";
    }

    private String transformers() {
        return """
                from transformers import AutoModelForCausalLM, AutoTokenizer

                model = AutoModelForCausalLM.from_pretrained("%s")
                tokenizer = AutoTokenizer.from_pretrained("%s")""".formatted(folder, folder);
    }

    private String ollama(String model) {
        return "echo 'FROM %s' > Modelfile\nollama create %s -f Modelfile\nollama run %s"
                .formatted(model, shortName(), shortName());
    }

    private String shortName() {
        return name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9._-]+", "-").replaceAll("^-+|-+$", "");
    }

    private static String block(String title, String code) {
        return "<h3>%s</h3><pre tabindex=\"0\"><code>%s</code></pre>".formatted(title, Html.escape(code));
    }
}
