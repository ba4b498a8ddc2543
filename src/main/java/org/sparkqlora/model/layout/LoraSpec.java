package org.sparkqlora.model.layout;

import java.io.Serializable;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.BoundedPattern;
import org.sparkqlora.weights.family.ModelConfig;

/**
 * Shape and scale of the adapters (PEFT's {@code LoraConfig}).
 *
 * @param rank rank of an adapter unless {@code rankPattern} says otherwise
 * @param alpha numerator of the scale unless {@code alphaPattern} says otherwise
 * @param dropout probability that an adapter's input element is dropped in training
 * @param targets modules that carry an adapter
 * @param rankStabilized scale by alpha / sqrt(rank) instead of alpha / rank (rsLoRA, arXiv 2312.03732)
 * @param weightDecomposed train the magnitude of each output apart from its direction (DoRA, arXiv 2402.09353)
 * @param rankPattern rank by module path; the first key, in sorted order, that matches {@code (.*\.)?(key)$} wins
 * @param alphaPattern alpha by module path, by the same rule
 * @param initialization how A and B of a new adapter begin
 * @param saved modules that train whole beside the adapters
 * @param parameters that carry an adapter beside modules
 */
public record LoraSpec(
        int rank,
        double alpha,
        double dropout,
        TargetModules targets,
        boolean rankStabilized,
        boolean weightDecomposed,
        Map<String, Integer> rankPattern,
        Map<String, Double> alphaPattern,
        FactorInitialization initialization,
        SavedModules saved,
        TargetParameters parameters)
        implements Serializable {
    public LoraSpec {
        if (rank < 1) {
            throw new BadInputException("Cannot build adapters of rank %d: rank must be at least 1".formatted(rank));
        }

        if (!isPositive(alpha)) {
            throw new BadInputException("Cannot scale adapters by alpha %s: alpha must be above 0".formatted(alpha));
        }

        if (!(dropout >= 0 && dropout < 1)) {
            throw new BadInputException(
                    "Cannot drop adapter inputs with probability %s: dropout must be in [0, 1)".formatted(dropout));
        }

        rankPattern.forEach((key, own) -> requirePattern("rank", key, own, own >= 1));
        alphaPattern.forEach((key, own) -> requirePattern("alpha", key, own, isPositive(own)));
        rankPattern = Collections.unmodifiableMap(new TreeMap<>(rankPattern));
        alphaPattern = Collections.unmodifiableMap(new TreeMap<>(alphaPattern));
    }

    /** Adapters alone, which start as PEFT's do by default. */
    public LoraSpec(
            int rank,
            double alpha,
            double dropout,
            TargetModules targets,
            boolean rankStabilized,
            boolean weightDecomposed,
            Map<String, Integer> rankPattern,
            Map<String, Double> alphaPattern) {
        this(
                rank,
                alpha,
                dropout,
                targets,
                rankStabilized,
                weightDecomposed,
                rankPattern,
                alphaPattern,
                FactorInitialization.DEFAULT,
                SavedModules.NONE,
                TargetParameters.NONE);
    }

    /** A and B alone, as adapters of their own: no magnitudes, and no modules that train whole. */
    public LoraSpec factorsAlone() {
        return new LoraSpec(rank, alpha, dropout, targets, rankStabilized, false, rankPattern, alphaPattern)
                .withParameters(parameters);
    }

    /** Adapters of twice the rank and the same scale, which do not begin as a part of their base. */
    public LoraSpec ofTwiceTheRank() {
        double factor = rankStabilized ? Math.sqrt(2) : 2;
        Map<String, Integer> ranks = new TreeMap<>(rankPattern);
        ranks.replaceAll((module, ofModule) -> 2 * ofModule);
        Map<String, Double> alphas = new TreeMap<>(alphaPattern);
        alphas.replaceAll((module, ofModule) -> factor * ofModule);
        return new LoraSpec(
                2 * rank,
                factor * alpha,
                dropout,
                targets,
                rankStabilized,
                weightDecomposed,
                ranks,
                alphas,
                FactorInitialization.DEFAULT,
                saved,
                parameters);
    }

    /** These adapters, beginning otherwise. */
    public LoraSpec withInitialization(FactorInitialization other) {
        return with(targets, other, saved, parameters);
    }

    /** Whether the adapters begin as a part of their base, which then is what is left of it. */
    public boolean takesFromBase() {
        return initialization instanceof FactorInitialization.Taken;
    }

    /** These adapters on other modules. */
    public LoraSpec withTargets(TargetModules others) {
        return with(others, initialization, saved, parameters);
    }

    /** These adapters, with modules that train whole beside them. */
    public LoraSpec withSaved(SavedModules modules) {
        return with(targets, initialization, modules, parameters);
    }

    /** These adapters, with some on parameters of no linear module. */
    public LoraSpec withParameters(TargetParameters others) {
        return with(targets, initialization, saved, others);
    }

    /** These adapters as they are on a model: names of an expert's modules mean parameters. */
    public LoraSpec on(ModelConfig config) {
        if (config.traits().mixture().isEmpty()) {
            if (!parameters.isEmpty()) {
                throw new BadInputException(
                        "Cannot add adapters on parameters %s: the model, of type %s, has no experts"
                                .formatted(parameters.names(), config.modelType()));
            }

            return this;
        }

        ExpertTargets found = ExpertTargets.of(config.mixture().modules(), targets, parameters);
        requireFactorsAlone(found.parameters());
        Map<String, Integer> ranks = new TreeMap<>(rankPattern);
        Map<String, Double> alphas = new TreeMap<>(alphaPattern);
        if (found.fused()) {
            ranks.put(ExpertTargets.FUSED_PATTERN, 2 * rank);
            alphas.put(ExpertTargets.FUSED_PATTERN, 2 * alpha);
        }

        return new LoraSpec(
                rank,
                alpha,
                dropout,
                found.modules(),
                rankStabilized,
                weightDecomposed,
                ranks,
                alphas,
                initialization,
                saved,
                found.parameters());
    }

    /** As PEFT does: what an adapter of a parameter adds is added to the parameter. */
    private void requireFactorsAlone(TargetParameters expertParameters) {
        if (!expertParameters.isEmpty() && (dropout > 0 || weightDecomposed || takesFromBase())) {
            throw new BadInputException(
                    "Cannot add adapters on %s: expected no dropout, no DoRA, and default or gaussian initialisation, found dropout %s, DoRA %s, initialisation %s. Name modules of attention alone, such as q_proj,k_proj,v_proj,o_proj, or leave these out"
                            .formatted(
                                    expertParameters.names(), dropout, weightDecomposed, initialization.optionName()));
        }
    }

    private LoraSpec with(
            TargetModules others,
            FactorInitialization beginning,
            SavedModules modules,
            TargetParameters otherParameters) {
        return new LoraSpec(
                rank,
                alpha,
                dropout,
                others,
                rankStabilized,
                weightDecomposed,
                rankPattern,
                alphaPattern,
                beginning,
                modules,
                otherParameters);
    }

    /** Adapters of one rank and scale on all linear modules. */
    public static LoraSpec allLinear(int rank, double alpha) {
        return new LoraSpec(rank, alpha, 0, new TargetModules.AllLinear(), false, false, Map.of(), Map.of());
    }

    public int rankOf(String modulePath) {
        return byPattern(rankPattern, modulePath).orElse(rank);
    }

    /** Factor on the low-rank term of the module. */
    public double scaleOf(String modulePath) {
        double numerator = byPattern(alphaPattern, modulePath).orElse(alpha);
        int ofRank = rankOf(modulePath);
        return numerator / (rankStabilized ? Math.sqrt(ofRank) : ofRank);
    }

    /** Whether a key of {@code rankPattern} or {@code alphaPattern} is meant for the module. */
    public static boolean fits(String key, String modulePath) {
        return pattern(key).matches(modulePath);
    }

    private static BoundedPattern pattern(String key) {
        return BoundedPattern.compile("(.*\\.)?(" + key + ")");
    }

    private static boolean isPositive(double alpha) {
        return alpha > 0 && Double.isFinite(alpha);
    }

    private static void requirePattern(String what, String key, Number value, boolean positive) {
        if (!positive) {
            throw new BadInputException(
                    "Cannot build adapters of %s %s on modules %s: expected more than 0".formatted(what, value, key));
        }

        try {
            pattern(key);
        } catch (BadInputException e) {
            throw new BadInputException(
                    "Cannot read %s pattern '%s': expected a name or a regular expression (%s)"
                            .formatted(what, key, e.getMessage()),
                    e);
        }
    }

    private static <T> Optional<T> byPattern(Map<String, T> pattern, String modulePath) {
        return pattern.entrySet().stream()
                .filter(entry -> fits(entry.getKey(), modulePath))
                .map(Map.Entry::getValue)
                .findFirst();
    }
}
