package org.sparkqlora.train;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BiFunction;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.ParameterIndex;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.weights.family.ModelConfig;

/**
 * A base that each process loads once, with several adapters beside each other over it. Their tensors lie in the flat vector one adapter
 * after the other, in the order of their names.
 *
 * @param base without adapters
 * @param adapters by name
 */
public record AdaptersSource(FolderModelSource base, SortedMap<String, LoraSpec> adapters) implements ModelSource {
    public AdaptersSource {
        adapters = Collections.unmodifiableSortedMap(new TreeMap<>(adapters));
    }

    @Override
    public String key() {
        return base.key() + " with " + adapters;
    }

    @Override
    public Optional<String> problem(List<String> gpus) {
        return base.problem(gpus);
    }

    @Override
    public GradientModel open(int threads) {
        return AdaptersModel.of(base.open(threads), adapters);
    }

    @Override
    public GradientModel open(int threads, List<String> gpus) {
        return AdaptersModel.of(base.open(threads, gpus), adapters);
    }

    /** The tensors of one adapter on a base of {@code config}. */
    private ParameterIndex index(ModelConfig config, LoraSpec lora) {
        return ParameterIndex.of(config, base.spec().adapted(lora));
    }

    /** The tensors of all adapters. */
    public ParameterIndex index(ModelConfig config) {
        SortedMap<String, ParameterIndex> indexes = new TreeMap<>();
        adapters.forEach((name, lora) -> indexes.put(name, index(config, lora)));
        return index(indexes);
    }

    /** The tensors of all adapters, each behind the name of its adapter. */
    static ParameterIndex index(SortedMap<String, ParameterIndex> adapters) {
        ParameterIndex.Builder all = ParameterIndex.builder();
        adapters.forEach((name, index) ->
                index.all().forEach(parameter -> all.add(name + ":" + parameter.name(), parameter.shape())));
        return all.build();
    }

    /**
     * The values of all adapters.
     *
     * @param read gives those of an adapter in the order of its own index
     */
    public FlatVector parameters(ModelConfig config, BiFunction<String, ParameterIndex, FlatVector> read) {
        FlatVector all = FlatVector.zeros(index(config).size());
        long from = 0;
        for (Map.Entry<String, LoraSpec> adapter : adapters.entrySet()) {
            try (FlatVector own = read.apply(adapter.getKey(), index(config, adapter.getValue()))) {
                all.setRange(from, own);
                from += own.length();
            }
        }

        return all;
    }
}
