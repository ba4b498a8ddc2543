package org.sparkqlora.run.export;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.sparkqlora.checkpoint.AdapterFolder;
import org.sparkqlora.checkpoint.VectorRange;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.adapter.AdapterMerge;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.run.model.AdapterStart;
import org.sparkqlora.run.output.RunFiles;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.tensor.FlatVector;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.ModelConfigJson;
import org.sparkqlora.weights.gguf.GgufAdapter;
import org.sparkqlora.weights.gguf.GgufExport;
import org.sparkqlora.weights.gguf.GgufOutType;

/**
 * Writes an adapter alone as a GGUF LoRA.
 *
 * @param model the folder of its base, of which {@code config.json} is read
 * @param adapter in PEFT layout
 * @param name of the adapter for people; empty to guess it
 */
public record AdapterExport(Path model, Location adapter, GgufOutType type, Optional<String> name) {
    /** Writes the file, which appears whole or not at all. */
    public ExportedFile write(GgufTarget target) {
        return target.write(file(), type);
    }

    private GgufExport file() {
        ModelConfig config = ModelConfigJson.read(model.resolve(ModelConfigJson.FILE_NAME));
        AdapterStart start = AdapterStart.from(adapter, model, config);
        LoraSpec lora = Objects.requireNonNull(start.lora());
        AdapterMerge merge = new AdapterMerge(config, lora);
        requireFactorsAlone(lora, merge);
        FlatVector parameters = AdapterFolder.read(adapter.files(), adapter.path(), merge.parameters());
        List<GgufAdapter.Term> terms =
                merge.terms().stream().map(term -> term(term, parameters)).toList();
        return GgufAdapter.of(config, terms, alpha(lora), type, id(), name);
    }

    private static GgufAdapter.Term term(AdapterMerge.Term term, FlatVector parameters) {
        long[] down = term.down().shape();
        return new GgufAdapter.Term(
                term.weight(),
                Math.toIntExact(down[0]),
                down[1],
                term.up().shape()[0],
                term.scale(),
                new VectorRange(parameters, term.down()),
                new VectorRange(parameters, term.up()));
    }

    /** A server divides by the rank; rsLoRA by its root. */
    private static double alpha(LoraSpec lora) {
        return lora.rankStabilized() ? lora.alpha() * Math.sqrt(lora.rank()) : lora.alpha();
    }

    private void requireFactorsAlone(LoraSpec lora, AdapterMerge merge) {
        String found = lora.weightDecomposed()
                ? "DoRA's magnitudes"
                : !lora.saved().isEmpty() || lora.saved().scores()
                        ? "modules that were saved whole (modules_to_save)"
                        : merge.changesExperts() ? "an adapter of experts (target_parameters)" : pissa(lora);
        if (!found.isEmpty()) {
            throw new BadInputException(
                    "Cannot export %s as a GGUF LoRA: expected A and B alone, found %s. Export the merged model instead, without --adapter-only"
                            .formatted(adapter, found));
        }
    }

    private static String pissa(LoraSpec lora) {
        return lora.takesFromBase() ? "an adapter of a base that it changes (init_lora_weights)" : "";
    }

    /** The folder's name; runs publish their adapters under one name, so there it is the run's. */
    private String id() {
        String own = adapter.path().getName();
        return own.equals(RunFiles.ADAPTER) && !adapter.path().getParent().isRoot()
                ? adapter.path().getParent().getName()
                : own;
    }
}
