package org.sparkqlora.model.layout;

import java.io.Serializable;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.family.ModelConfig;

/**
 * Modules that train whole beside adapters and are stored with them (PEFT's {@code modules_to_save}).
 *
 * @param modules those that are named, in their own order
 * @param weightTying of a model whose head is its embedding: what trains is that one matrix, whichever is named (PEFT's
 *     {@code ensure_weight_tying}). Otherwise each module named trains as a matrix of its own, and the other stays as it was.
 * @param rows of their matrices, where these have more or fewer tokens than the base's; 0 for as many
 * @param labels outputs of a head {@value #SCORE} that scores texts (transformers' sequence classification); 0 where there is none
 */
public record SavedModules(List<SavedModule> modules, boolean weightTying, int rows, int labels)
        implements Serializable {
    public static final SavedModules NONE = new SavedModules(List.of(), true);

    /** The path of the head that scores texts. */
    public static final String SCORE = "score";

    /** Its weight, (labels, hidden), as a model names it. */
    public static final String SCORE_WEIGHT = DecoderTensors.SCORE;

    /** Its weight as an adapter names it. */
    public static final String SCORE_KEY = ModelLayout.ADAPTER_PREFIX + SCORE_WEIGHT;

    public SavedModules {
        modules = modules.stream().distinct().sorted().toList();
    }

    /** Modules with as many tokens as the base. */
    public SavedModules(List<SavedModule> modules, boolean weightTying) {
        this(modules, weightTying, 0);
    }

    /** Modules of {@code rows} tokens. */
    public SavedModules(List<SavedModule> modules, boolean weightTying, int rows) {
        this(modules, weightTying, rows, 0);
    }

    /** Modules by their names, as PEFT reads them. */
    public static SavedModules named(Collection<String> names, boolean weightTying) {
        return new SavedModules(names.stream().map(SavedModule::parse).toList(), weightTying);
    }

    /** The modules that train whole among the tensors of an adapter. */
    public static SavedModules of(ParameterIndex index) {
        List<SavedModule> modules = Arrays.stream(SavedModule.values())
                .filter(module -> index.has(module.adapterKey()))
                .toList();
        SavedModules saved = modules.isEmpty()
                ? NONE
                : new SavedModules(modules, !index.aliases().isEmpty());
        return index.has(SCORE_KEY)
                ? saved.withLabels((int) index.find(SCORE_KEY).shape()[0])
                : saved;
    }

    /** These modules beside a head of {@code outputs}. */
    public SavedModules withLabels(int outputs) {
        return new SavedModules(modules, weightTying, rows, outputs);
    }

    /** Whether a head scores texts. */
    public boolean scores() {
        return labels > 0;
    }

    /** These modules with another number of tokens. */
    public SavedModules withRows(int tokens) {
        return new SavedModules(modules, weightTying, tokens, labels);
    }

    /** The config of a model whose embedding and head are these. */
    public ModelConfig sized(ModelConfig base) {
        return rows == 0 ? base : base.withVocabulary(rows);
    }

    /** Whether neither embedding nor head train. */
    public boolean isEmpty() {
        return modules.isEmpty();
    }

    /** Whether embedding and head of the model train as one. */
    public boolean trainsAsOne(ModelConfig config) {
        return !isEmpty() && weightTying && config.tiedEmbeddings();
    }

    /** Whether the module trains in the model, named or tied to one that is. */
    boolean trains(SavedModule module, ModelConfig config) {
        return modules.contains(module) || trainsAsOne(config);
    }
}
