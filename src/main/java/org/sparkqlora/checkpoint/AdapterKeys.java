package org.sparkqlora.checkpoint;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.fs.Path;
import org.sparkqlora.model.layout.Parameter;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.model.layout.SavedModule;
import org.sparkqlora.model.layout.SavedModules;
import org.sparkqlora.model.layout.TargetModules;
import org.sparkqlora.weights.family.TextModelNames;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;
import org.sparkqlora.weights.safetensors.SafetensorsLayout;
import org.sparkqlora.weights.safetensors.TensorSpec;

/** Compares an adapter's tensors with those that the model trains: silently ignored keys are a classic way to train nothing. */
final class AdapterKeys {
    private static final int MOST_LISTED = 8;
    private static final Pattern FACTOR = Pattern.compile(".*\\.(\\w+)\\.lora_A\\.weight");

    private static final Pattern COPY = Pattern.compile("(.*)\\.(?:modules_to_save|original_module)\\.weight");

    private static final Pattern MODULE = Pattern.compile("base_model\\.model\\.(.*)\\.lora_A\\.weight");

    /** PEFT's path of the wrapped model. */
    private static final String PREFIX = "base_model.model.";

    private AdapterKeys() {}

    /** The tensors, named as those of a text model, be they of an adapter of one that sees images as well. */
    static SafetensorsLayout ofTextModel(SafetensorsLayout layout) {
        return layout.renamed(name -> TextModelNames.ofModule(PREFIX, name));
    }

    /**
     * The modules that carry an adapter: as {@code named}, which says it for the model that {@code stored} is an adapter of, or one by one,
     * if that is one that sees images.
     */
    static TargetModules targets(TargetModules named, SafetensorsLayout stored) {
        List<TensorSpec> tensors = ofTextModel(stored).tensors();
        if (tensors.equals(stored.tensors())) {
            return named;
        }

        return new TargetModules.Names(tensors.stream()
                .map(spec -> MODULE.matcher(spec.name()))
                .filter(Matcher::matches)
                .map(module -> module.group(1))
                .toList());
    }

    /** Throws one error that lists every tensor that is missing, unexpected, or of another shape or type. */
    static void requireSame(Path folder, ParameterIndex index, SafetensorsLayout layout) {
        Set<String> missing = new TreeSet<>(of(index).keySet());
        Set<String> unexpected = new TreeSet<>();
        Set<String> different = new TreeSet<>();
        for (TensorSpec spec : layout.tensors()) {
            missing.remove(spec.name());
            if (isCopy(spec.name(), layout)) {
                continue;
            }

            if (!index.has(spec.name())) {
                unexpected.add(spec.name());
            } else if (!fits(index.find(spec.name()), spec)) {
                different.add("%s (expected shape %s, found %s%s)"
                        .formatted(
                                spec.name(),
                                Arrays.toString(index.find(spec.name()).shape()),
                                spec.type(),
                                Arrays.toString(spec.shape())));
            }
        }

        List<String> problems = new ArrayList<>();
        list(problems, "missing", missing);
        list(problems, "unexpected", unexpected);
        list(problems, "different", different);
        if (!problems.isEmpty()) {
            throw new InvalidWeightsException(
                    "Cannot load adapter %s: expected the %d tensors that this model trains, found others. Are model, rank and target modules those of the adapter?\n  %s"
                            .formatted(folder, of(index).size(), String.join("\n  ", problems)));
        }
    }

    /** {@code named}, completed by the tensors of the file: modules that are stored whole, and their numbers of rows. */
    static SavedModules saved(SavedModules named, SafetensorsLayout layout) {
        return wholeModules(named, layout).withLabels(labels(layout));
    }

    /** Outputs of the head that scores texts; 0 where there is none. */
    private static int labels(SafetensorsLayout layout) {
        return layout.tensors().stream()
                .filter(spec -> spec.name().equals(SavedModules.SCORE_KEY) && spec.shape().length == 2)
                .mapToInt(spec -> Math.toIntExact(spec.shape()[0]))
                .findFirst()
                .orElse(0);
    }

    private static SavedModules wholeModules(SavedModules named, SafetensorsLayout layout) {
        List<TensorSpec> stored = layout.tensors().stream()
                .filter(spec -> module(spec).isPresent() && spec.shape().length == 2)
                .toList();
        if (stored.isEmpty()) {
            return named;
        }

        List<SavedModule> modules = new ArrayList<>(named.modules());
        stored.forEach(spec -> modules.add(module(spec).orElseThrow()));
        return new SavedModules(
                modules,
                named.weightTying() && !named.isEmpty(),
                Math.toIntExact(stored.get(0).shape()[0]));
    }

    /**
     * Whether the tensor is one of the further copies that PEFT stores of a module of another size than the base's: the module
     * as it was before training, and the trained one under the name that it has in memory.
     */
    static boolean isCopy(String name, SafetensorsLayout layout) {
        Matcher copy = COPY.matcher(name);
        return copy.matches()
                && layout.tensors().stream().anyMatch(spec -> spec.name().equals(copy.group(1) + ".weight"));
    }

    private static Optional<SavedModule> module(TensorSpec spec) {
        return Arrays.stream(SavedModule.values())
                .filter(module -> module.adapterKey().equals(spec.name()))
                .findFirst();
    }

    /** The tensors that an adapter is stored as: all that train, and those of more than one name under each. */
    static Map<String, Parameter> of(ParameterIndex index) {
        Map<String, Parameter> keys = new LinkedHashMap<>();
        index.all().forEach(parameter -> keys.put(parameter.name(), parameter));
        keys.putAll(index.aliases());
        return keys;
    }

    /** Last names of the modules that carry an adapter, sorted. */
    static List<String> modules(ParameterIndex index) {
        return index.all().stream()
                .map(parameter -> FACTOR.matcher(parameter.name()))
                .filter(Matcher::matches)
                .map(matcher -> matcher.group(1))
                .distinct()
                .sorted()
                .toList();
    }

    private static boolean fits(Parameter parameter, TensorSpec spec) {
        return spec.type().isFloat() && Arrays.equals(parameter.shape(), spec.shape());
    }

    private static void list(List<String> problems, String what, Set<String> names) {
        if (names.isEmpty()) {
            return;
        }

        String shown = String.join(", ", names.stream().limit(MOST_LISTED).toList());
        String more = names.size() > MOST_LISTED
                ? String.format(Locale.ROOT, " and %d more", names.size() - MOST_LISTED)
                : "";
        problems.add(String.format(Locale.ROOT, "%d %s: %s%s", names.size(), what, shown, more));
    }
}
