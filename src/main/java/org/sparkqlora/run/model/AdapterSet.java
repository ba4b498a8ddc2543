package org.sparkqlora.run.model;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import org.sparkqlora.checkpoint.AdapterFolder;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.options.UsedAdapters;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.train.AdaptersSource;
import org.sparkqlora.train.FolderModelSource;
import org.sparkqlora.train.ModelSource;
import org.sparkqlora.weights.family.ModelConfig;

/**
 * The adapters that answer over one base, by the names that prompts give. The empty name is that of prompts which give none. Driver only.
 *
 * @param all with the base alone as {@value UsedAdapters#BASE} where there are names
 */
public record AdapterSet(SortedMap<String, AdapterStart> all) {
    private static final String UNNAMED = "";

    public AdapterSet {
        all = Collections.unmodifiableSortedMap(new TreeMap<>(all));
    }

    /**
     * Those of {@code adapters} on a base in folder {@code model}.
     *
     * @throws BadInputException that names all which do not fit the base, or of several those that write no texts
     */
    public static AdapterSet of(UsedAdapters adapters, Path model, ModelConfig config) {
        SortedMap<String, Location> folders = adapters.folders();
        AdapterStart unnamed = AdapterStart.of(folders.get(UNNAMED), model, config);
        SortedMap<String, AdapterStart> all = new TreeMap<>();
        all.put(UNNAMED, unnamed);
        if (!adapters.areNamed()) {
            return new AdapterSet(all);
        }

        all.put(UsedAdapters.BASE, AdapterStart.of(null, model, config));
        List<String> problems = new ArrayList<>();
        folders.forEach((name, folder) -> {
            try {
                all.put(name, AdapterStart.from(folder, model, config).writingTexts());
            } catch (BadInputException e) {
                problems.add("--adapter %s: %s".formatted(name, e.getMessage()));
            }
        });
        if (!problems.isEmpty()) {
            throw new BadInputException(String.join("; ", problems));
        }

        return new AdapterSet(all);
    }

    /** Whether prompts may name adapters. */
    public boolean isNamed() {
        return all.size() > 1;
    }

    /** The adapter of prompts that name none. */
    public AdapterStart unnamed() {
        return start(UNNAMED);
    }

    /** The adapter of a name that there is. */
    public AdapterStart start(String name) {
        return Optional.ofNullable(all.get(name)).orElseThrow();
    }

    /** The adapter in the base's own model, which other adapters are not. */
    public Optional<LoraSpec> inBase() {
        return isNamed() ? Optional.empty() : Optional.ofNullable(unnamed().lora());
    }

    /** What {@code of} gives for each, by its name. */
    public <T> SortedMap<String, T> each(Function<String, T> of) {
        SortedMap<String, T> each = new TreeMap<>();
        all.keySet().forEach(name -> each.put(name, of.apply(name)));
        return each;
    }

    /** @param base with the adapter that is {@link #inBase()} */
    public ModelSource over(FolderModelSource base) {
        return isNamed() ? adapters(base) : base;
    }

    /** The tensors of {@link #over}. */
    public ParameterIndex index(FolderModelSource base, ModelConfig config) {
        return isNamed() ? adapters(base).index(config) : ParameterIndex.of(config, base.spec());
    }

    /** The values of {@link #index}, read from the folders. */
    public FlatVector parameters(FolderModelSource base, ModelConfig config) {
        return isNamed()
                ? adapters(base).parameters(config, (name, own) -> read(start(name), own))
                : read(unnamed(), index(base, config));
    }

    private static FlatVector read(AdapterStart start, ParameterIndex index) {
        Location folder = start.folder();
        return folder == null ? FlatVector.zeros(0) : AdapterFolder.read(folder.files(), folder.path(), index);
    }

    private AdaptersSource adapters(FolderModelSource base) {
        SortedMap<String, LoraSpec> shapes = new TreeMap<>();
        all.forEach((name, start) -> {
            if (start.lora() != null) {
                shapes.put(name, start.lora());
            }
        });
        return new AdaptersSource(base, shapes);
    }
}
