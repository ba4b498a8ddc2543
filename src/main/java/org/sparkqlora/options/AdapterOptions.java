package org.sparkqlora.options;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.model.layout.FactorInitialization;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.SavedModule;
import org.sparkqlora.model.layout.SavedModules;
import org.sparkqlora.model.layout.TargetModules;
import org.sparkqlora.model.layout.TargetParameters;
import org.sparkqlora.spark.cluster.Location;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The shape of the adapters, or an adapter to go on from, which has its own. */
@OptionGroup.In(OptionGroup.ADAPTER)
public final class AdapterOptions {
    @OptionGroup.Common
    @Option(
            names = "--rank",
            defaultValue = "16",
            paramLabel = "R",
            description = "Rank of the adapters. Default: ${DEFAULT-VALUE}.")
    int rank = 16;

    @OptionGroup.Common
    @Option(
            names = "--alpha",
            defaultValue = "32",
            paramLabel = "A",
            description = "The adapters are scaled by alpha / rank. Default: ${DEFAULT-VALUE}.")
    double alpha = 32;

    @Option(
            names = "--dropout",
            defaultValue = "0",
            paramLabel = "P",
            description = "Dropout before the adapters. Default: ${DEFAULT-VALUE}.")
    double dropout;

    @OptionGroup.Common
    @Option(
            names = "--target-modules",
            defaultValue = TargetModules.ALL_LINEAR,
            paramLabel = "NAMES",
            description = "all-linear, names (q_proj,v_proj) or a regular expression. Default: ${DEFAULT-VALUE}.")
    TargetModules targets = new TargetModules.AllLinear();

    @Option(
            names = "--target-parameters",
            split = ",",
            paramLabel = "NAMES",
            description =
                    "Of mixtures of experts: parameters that get adapters beside --target-modules, which may then be none:"
                            + " mlp.experts.gate_up_proj, mlp.experts.down_proj, mlp.gate.weight (the router; of gpt-oss mlp.router.weight).")
    List<String> parameters = new ArrayList<>();

    @Option(
            names = "--exclude-modules",
            paramLabel = "NAMES",
            description = "Modules that get no adapter, as --target-modules.")
    @Nullable
    TargetModules excluded;

    @Option(
            names = "--layers-to-transform",
            split = ",",
            paramLabel = "N",
            description = "Layers that get adapters, counted from 0. Default: all.")
    List<Integer> layers = new ArrayList<>();

    @Option(
            names = "--rank-pattern",
            split = ",",
            paramLabel = "MODULE=R",
            description = "Other ranks for some modules, such as q_proj=4.")
    Map<String, Integer> rankPattern = new TreeMap<>();

    @Option(
            names = "--alpha-pattern",
            split = ",",
            paramLabel = "MODULE=A",
            description = "Other alphas for some modules.")
    Map<String, Double> alphaPattern = new TreeMap<>();

    @Option(
            names = "--modules-to-save",
            split = ",",
            paramLabel = "NAMES",
            description =
                    "Modules that train whole, in float32, and are stored with the adapter: embed_tokens, lm_head or"
                            + " both. Where a model's head is its embedding, either name means that one matrix, which stays both"
                            + " (PEFT's ensure_weight_tying).")
    List<SavedModule> saved = new ArrayList<>();

    @Option(
            names = "--no-weight-tying",
            description =
                    "Where a model's head is its embedding: train only what --modules-to-save names, as a matrix of"
                            + " its own, as PEFT does unless told otherwise. The two then differ.")
    boolean untied;

    @Mixin
    public TokenOptions tokens = new TokenOptions();

    @Option(
            names = "--resize-token-embeddings",
            paramLabel = "N",
            description = "Rows of embedding and head. Default: the base's, or more where --new-tokens need them.")
    @Nullable
    public Integer rows;

    @Option(
            names = "--init-lora-weights",
            defaultValue = "default",
            paramLabel = "HOW",
            description =
                    "default (uniform), gaussian, or a part of the base, which is then what is left of it: pissa (largest singular"
                            + " values), pissa_niter_N (the same by N subspace iterations) or olora (QR). Default:"
                            + " ${DEFAULT-VALUE}.")
    FactorInitialization initialization = FactorInitialization.DEFAULT;

    @Option(names = "--use-rslora", description = "Scale by alpha / sqrt(rank).")
    boolean rankStabilized;

    @Option(names = "--use-dora", description = "Train the magnitude of each output apart from its direction.")
    boolean weightDecomposed;

    @Option(
            names = "--init-adapter",
            paramLabel = "DIR",
            description = "Adapter in PEFT layout to start from. Its shape replaces the options above.")
    @Nullable
    public Location initial;

    public void check(Problems problems) {
        problems.collect("--rank, --alpha, --dropout, --layers-to-transform", this::spec);
        problems.requireFolder("--init-adapter", initial);
        tokens.check(problems);
        problems.require(
                !resizes() || !saved.isEmpty() || initial != null,
                "--new-tokens, --resize-token-embeddings: expected --modules-to-save %s with them, found none: rows that do not train mean nothing",
                SavedModule.optionNames());
        problems.require(
                !resizes() || initial == null,
                "--new-tokens, --resize-token-embeddings: expected none of them beside --init-adapter, whose tokens the model gets");
        problems.require(
                initial == null || initialization instanceof FactorInitialization.Drawn,
                "--init-lora-weights: expected none of pissa and olora with --init-adapter, found %s",
                initialization.optionName());
        problems.require(
                !untied || !saved.isEmpty(), "--no-weight-tying: expected --modules-to-save with it, found none");
    }

    /** Whether the model is to have other tokens than its base. */
    boolean resizes() {
        return rows != null || !tokens.isEmpty();
    }

    /** The shape that the options ask for. */
    public LoraSpec spec() {
        return new LoraSpec(
                rank,
                alpha,
                dropout,
                narrowedTargets(),
                rankStabilized,
                weightDecomposed,
                rankPattern,
                alphaPattern,
                initialization,
                new SavedModules(saved, !untied),
                new TargetParameters(parameters));
    }

    private TargetModules narrowedTargets() {
        return excluded == null && layers.isEmpty() ? targets : new TargetModules.Narrowed(targets, excluded, layers);
    }
}
