package org.sparkqlora.checkpoint;

import static org.sparkqlora.input.ShellWord.quoted;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.sparkqlora.input.OptionChoice;
import org.sparkqlora.input.ShellWord;
import org.sparkqlora.model.layout.LoraSpec;

/** Programs that serve a model, and what each takes of an adapter that it adds at run time. */
public enum Server implements OptionChoice {
    VLLM,
    SGLANG,
    LLAMA_CPP,
    OLLAMA;

    /** Ranks that vLLM makes room for. */
    private static final List<Integer> VLLM_RANKS = List.of(1, 8, 16, 32, 64, 128, 256, 320, 512);

    public static Server parse(String text) {
        return OptionChoice.parse(values(), text, "Unsupported server '%s': expected one of %s");
    }

    @Override
    public String optionName() {
        return OptionChoice.super.optionName().replace('_', '.');
    }

    /** Whether it reads GGUF files, and not Hugging Face's folders. */
    public boolean readsGguf() {
        return this == LLAMA_CPP || this == OLLAMA;
    }

    /** Why it does not add such an adapter at run time, or would add another; nothing if it does. */
    public List<String> objections(LoraSpec lora) {
        List<String> found = new ArrayList<>();
        if (lora.weightDecomposed()) {
            found.add("use_dora: it adds no magnitudes (DoRA)");
        }

        if (lora.saved().scores()) {
            found.add("score: it adds no head that scores texts");
        }

        if (!lora.saved().isEmpty()) {
            found.add("modules_to_save: it adds no modules that were saved whole");
        }

        if (lora.takesFromBase()) {
            found.add("init_lora_weights: it does not take the first values of A and B out of the base");
        }

        switch (this) {
            case VLLM -> addScales(lora, found);
            case SGLANG -> {
                addScales(lora, found);
                if (lora.rankStabilized()) {
                    found.add("use_rslora: it divides by the rank, not by its root");
                }
            }
            case LLAMA_CPP, OLLAMA -> {
                if (lora.parameters().ofExperts()) {
                    found.add("target_parameters: a GGUF LoRA holds none of experts");
                }
            }
        }

        if (this == VLLM && largestRank(lora) > VLLM_RANKS.get(VLLM_RANKS.size() - 1)) {
            found.add(
                    String.format(Locale.ROOT, "r: it makes room for ranks of at most 512, not %d", largestRank(lora)));
        }

        return found;
    }

    /** The commands that serve a base with an adapter: a PEFT folder, or a GGUF LoRA. */
    public String serveAdapter(String base, String adapter, String name, LoraSpec lora) {
        return serveAdapter(base, adapter, name, largestRank(lora));
    }

    /** @param rank the largest of the adapter */
    public String serveAdapter(String base, String adapter, String name, int rank) {
        return switch (this) {
            case VLLM ->
                String.format(
                        Locale.ROOT,
                        "vllm serve %s --enable-lora --max-lora-rank %d --lora-modules %s=%s",
                        quoted(base),
                        VLLM_RANKS.stream()
                                .filter(room -> room >= rank)
                                .findFirst()
                                .orElse(rank),
                        name,
                        quoted(adapter));
            case SGLANG ->
                "python -m sglang.launch_server --model-path %s --enable-lora --lora-paths %s=%s"
                        .formatted(quoted(base), name, quoted(adapter));
            case LLAMA_CPP -> "llama-server -m base.gguf --lora " + quoted(adapter);
            case OLLAMA -> ollama(name, "FROM ./base.gguf", "ADAPTER " + adapter);
        };
    }

    /** The commands that serve a whole model: a Hugging Face folder, or a GGUF file. */
    public String serveModel(String model, String name) {
        return switch (this) {
            case VLLM -> "vllm serve " + quoted(model);
            case SGLANG -> "python -m sglang.launch_server --model-path " + quoted(model);
            case LLAMA_CPP -> "llama-server -m " + quoted(model);
            case OLLAMA -> ollama(name, "FROM " + model);
        };
    }

    private static String ollama(String name, String... modelfile) {
        String lines = Stream.of(modelfile).map(ShellWord::quoted).collect(Collectors.joining(" "));
        return "printf '%%s\\n' %s > Modelfile\nollama create %s -f Modelfile\nollama run %s"
                .formatted(lines, name, name);
    }

    /** Servers of PEFT folders have one scale for all modules. */
    private static void addScales(LoraSpec lora, List<String> found) {
        if (!lora.alphaPattern().isEmpty()) {
            found.add("alpha_pattern: it scales all modules alike");
        }

        if (lora.rankPattern().values().stream().anyMatch(rank -> rank != lora.rank())) {
            found.add("rank_pattern: it scales all modules alike");
        }
    }

    private static int largestRank(LoraSpec lora) {
        Map<String, Integer> ranks = lora.rankPattern();
        return ranks.values().stream().mapToInt(Integer::intValue).reduce(lora.rank(), Math::max);
    }
}
