package org.sparkqlora.model.layout;

import java.util.Arrays;
import java.util.List;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.weights.family.DecoderTensors;

/** A module that can train whole beside adapters (PEFT's {@code modules_to_save}). */
public enum SavedModule {
    /** The rows that tokens start as. */
    EMBEDDING(DecoderTensors.EMBEDDING),
    /** The rows that tokens are predicted by. */
    HEAD(DecoderTensors.HEAD);

    private final String weight;

    SavedModule(String weight) {
        this.weight = weight;
    }

    /** The module that {@code name} is the path of, or its end, as PEFT compares them. */
    public static SavedModule parse(String name) {
        return Arrays.stream(values())
                .filter(module -> ("." + module.path()).endsWith("." + name))
                .findFirst()
                .orElseThrow(() -> new BadInputException(
                        "Unsupported module to save '%s': expected some of %s".formatted(name, names())));
    }

    /** The name that a command line uses. */
    public String optionName() {
        return path().substring(path().lastIndexOf('.') + 1);
    }

    /** Its path in the base model. */
    public String path() {
        return weight.substring(0, weight.lastIndexOf('.'));
    }

    /** The name of its weight in the base model. */
    public String weight() {
        return weight;
    }

    /** The name of its weight in an adapter. */
    public String adapterKey() {
        return ModelLayout.ADAPTER_PREFIX + weight;
    }

    /** The names of all, with commas. */
    public static String optionNames() {
        return String.join(",", names());
    }

    private static List<String> names() {
        return Arrays.stream(values()).map(SavedModule::optionName).toList();
    }
}
