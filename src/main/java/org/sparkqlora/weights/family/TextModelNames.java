package org.sparkqlora.weights.family;

import java.util.Collection;
import java.util.Map;
import java.util.Optional;

/** Names of a text model's weights and modules inside a model that sees images as well, and by themselves. */
public final class TextModelNames {
    /** As transformers 5 and 4 write them. */
    private static final Map<String, String> PREFIXES = Map.of(
            "model.language_model.", "model.",
            "language_model.model.", "model.",
            "language_model.lm_head.", "lm_head.");

    private static final String HEAD = "lm_head.";

    private TextModelNames() {}

    /** Whether the weights called {@code names} are those of a model that sees images. */
    public static boolean isInside(Collection<String> names) {
        return names.stream().anyMatch(name -> inside(name).isPresent());
    }

    /** What the text model calls a weight of the model around it; nothing where it has no such weight. */
    public static Optional<String> ofWeight(String name) {
        return name.startsWith(HEAD) ? Optional.of(name) : inside(name);
    }

    /** What the text model calls a module or an adapter's tensor; the same name where it stands outside the text model. */
    public static String ofModule(String prefix, String name) {
        return name.startsWith(prefix)
                ? inside(name.substring(prefix.length())).map(prefix::concat).orElse(name)
                : name;
    }

    private static Optional<String> inside(String name) {
        return PREFIXES.entrySet().stream()
                .filter(prefix -> name.startsWith(prefix.getKey()))
                .map(prefix ->
                        prefix.getValue() + name.substring(prefix.getKey().length()))
                .findFirst();
    }
}
