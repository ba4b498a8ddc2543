package org.sparkqlora.spark.ui;

import static org.sparkqlora.input.ShellWord.quoted;

import java.util.Locale;
import org.sparkqlora.checkpoint.Server;

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
    /** The kind of published model. */
    public enum Kind {
        /** Low-rank factors and nothing else. */
        ADAPTER,
        /** Magnitudes (DoRA), whole modules, or scales of single modules, which not all servers add at run time. */
        RICH_ADAPTER,
        MODEL
    }

    String html() {
        return Html.section(
                "How to load it",
                switch (kind) {
                    case ADAPTER ->
                        block("PEFT", peft())
                                + block("vLLM", Server.VLLM.serveAdapter(base, folder, shortName(), rank))
                                + block("llama.cpp", exported("--adapter-only ", Server.LLAMA_CPP))
                                + block("Ollama", exported("", Server.OLLAMA));
                    case RICH_ADAPTER ->
                        block("PEFT", peft())
                                + block("vLLM", merge() + "\n" + Server.VLLM.serveModel(merged(), shortName()))
                                + block("llama.cpp", exported("", Server.LLAMA_CPP))
                                + block("Ollama", exported("", Server.OLLAMA));
                    case MODEL ->
                        block("transformers", transformers())
                                + block("vLLM", Server.VLLM.serveModel(folder, shortName()))
                                + block("llama.cpp", exportedModel(Server.LLAMA_CPP))
                                + block("Ollama", exportedModel(Server.OLLAMA));
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

    /** The adapter alone, or folded into its base, as a file. */
    private String exported(String option, Server server) {
        String serve = option.isEmpty()
                ? server.serveModel(file(), shortName())
                : server.serveAdapter(base, file(), shortName(), rank);
        return "spark-submit spark-qlora.jar export --model %s --adapter %s %s--output %s\n%s"
                .formatted(quoted(base), quoted(folder), option, file(), serve);
    }

    private String exportedModel(Server server) {
        return "spark-submit spark-qlora.jar export --model %s --output %s\n%s"
                .formatted(quoted(folder), file(), server.serveModel(file(), shortName()));
    }

    private String file() {
        return "./" + shortName() + ".gguf";
    }

    private String merge() {
        return "spark-submit spark-qlora.jar merge --model %s --adapter %s --output %s"
                .formatted(quoted(base), quoted(folder), merged());
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

    private String shortName() {
        return name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9._-]+", "-").replaceAll("^-+|-+$", "");
    }

    private static String block(String title, String code) {
        return "<h3>%s</h3><pre tabindex=\"0\"><code>%s</code></pre>".formatted(title, Html.escape(code));
    }
}
