package org.sparkqlora.run.model;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.SavedModule;
import org.sparkqlora.model.layout.TargetModules;
import org.sparkqlora.model.layout.TargetParameters;
import org.sparkqlora.weights.family.DecoderTensors;
import org.sparkqlora.weights.family.ExpertMatrix;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.family.Projection;
import org.sparkqlora.weights.family.TokenMixing;

/**
 * Makes sure that everything a command line says of new adapters means something in the model: PEFT passes over a name that no module
 * has, and what was meant by it does not train.
 */
final class TargetCheck {
    private static final List<String> WHOLE =
            Stream.of(SavedModule.values()).map(SavedModule::path).toList();

    private final LoraSpec lora;
    private final ModelConfig config;
    private final List<String> linears;
    private final List<String> parameters;
    private final List<String> problems = new ArrayList<>();

    private TargetCheck(LoraSpec lora, ModelConfig config) {
        this.lora = lora;
        this.config = config;
        this.linears = IntStream.range(0, config.layers())
                .boxed()
                .flatMap(layer -> Projection.of(config, layer).stream().map(projection -> projection.path(layer)))
                .toList();
        this.parameters = IntStream.range(0, config.layers())
                .filter(config::isMixture)
                .boxed()
                .flatMap(layer -> Stream.of(
                        DecoderTensors.routerWeight(config, layer),
                        ExpertMatrix.experts(layer) + "." + TargetParameters.GATE_UP,
                        ExpertMatrix.experts(layer) + "." + TargetParameters.DOWN))
                .toList();
    }

    /** Throws one error that tells all that fits no module. */
    static void check(LoraSpec lora, ModelConfig config) {
        TargetCheck check = new TargetCheck(lora, config);
        check.targets();
        check.parameters();
        check.anyLeft();
        check.servedTogether();
        check.pattern("--rank-pattern", lora.rankPattern().keySet());
        check.pattern("--alpha-pattern", lora.alphaPattern().keySet());
        if (!check.problems.isEmpty()) {
            throw new BadInputException(String.join("; ", check.problems));
        }
    }

    private void targets() {
        if (!(lora.targets() instanceof TargetModules.Narrowed narrowed)) {
            chosen(lora.targets());
            return;
        }

        chosen(narrowed.chosen());
        if (narrowed.excluded() != null) {
            excluded(narrowed.excluded());
        }

        List<Integer> beyond = narrowed.layers().stream()
                .filter(layer -> layer < 0 || layer >= config.layers())
                .toList();
        require(
                beyond.isEmpty(),
                String.format(
                        Locale.ROOT,
                        "--layers-to-transform: expected layers 0 to %d, found %s",
                        config.layers() - 1,
                        beyond));
    }

    /** As for modules: a name that fits nothing is an error. */
    private void parameters() {
        for (String name : lora.parameters().names()) {
            require(
                    parameters.stream().anyMatch(new TargetParameters(List.of(name))::matches),
                    "--target-parameters: expected parameters of the model's experts, such as mlp.experts.down_proj; found %s, which fits none"
                            .formatted(name));
        }
    }

    private void anyLeft() {
        require(
                !problems.isEmpty()
                        || linears.stream().anyMatch(lora.targets()::matches)
                        || parameters.stream().anyMatch(lora.parameters()::matches),
                "--target-modules: expected modules that get an adapter, found none in %s"
                        .formatted(lora.targets().words()));
    }

    /** Servers hold the two projections as one module, and cannot load an adapter of one of them. */
    private void servedTogether() {
        boolean apart = IntStream.range(0, config.layers())
                .filter(layer -> config.mixing(layer) == TokenMixing.DELTA_NET)
                .anyMatch(layer -> lora.targets().matches(Projection.DELTA_QUERY_KEY_VALUE.path(layer))
                        != lora.targets().matches(Projection.DELTA_GATE.path(layer)));
        require(
                !apart,
                "--target-modules: expected both of in_proj_qkv and in_proj_z in a layer or neither, found one of them in %s; servers hold the two as one module"
                        .formatted(lora.targets().words()));
    }

    private void chosen(TargetModules targets) {
        if (targets instanceof TargetModules.AllLinear) {
            return;
        }

        for (TargetModules part : parts(targets)) {
            List<String> whole = WHOLE.stream().filter(part::matches).toList();
            require(
                    whole.isEmpty(),
                    "--target-modules: Unsupported adapters on %s: expected modules of the layers; --modules-to-save trains these whole"
                            .formatted(whole));
            require(!whole.isEmpty() || linears.stream().anyMatch(part::matches), unknown("--target-modules", part));
        }
    }

    private void excluded(TargetModules targets) {
        for (TargetModules part : parts(targets)) {
            require(
                    Stream.concat(linears.stream(), WHOLE.stream()).anyMatch(part::matches),
                    unknown("--exclude-modules", part));
        }
    }

    private void pattern(String option, Collection<String> keys) {
        for (String key : keys) {
            require(
                    adapted().anyMatch(path -> LoraSpec.fits(key, path)),
                    "%s: expected modules that get an adapter, found %s, which fits none".formatted(option, key));
        }
    }

    private Stream<String> adapted() {
        return Stream.concat(
                linears.stream().filter(lora.targets()::matches),
                parameters.stream().filter(lora.parameters()::matches));
    }

    private String unknown(String option, TargetModules targets) {
        List<String> names = Projection.of(config).stream()
                .map(projection -> projection.path(0))
                .map(path -> path.substring(path.lastIndexOf('.') + 1))
                .toList();
        return "%s: expected linear modules of the model, such as %s; found %s, which fits none"
                .formatted(option, names, targets.words());
    }

    private void require(boolean holds, String problem) {
        if (!holds) {
            problems.add(problem);
        }
    }

    /** Names one by one: each must fit for itself. */
    private static List<TargetModules> parts(TargetModules targets) {
        return targets instanceof TargetModules.Names names
                ? names.names().stream()
                        .<TargetModules>map(name -> new TargetModules.Names(List.of(name)))
                        .toList()
                : List.of(targets);
    }
}
