package org.sparkqlora.options;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.objective.Classification;
import org.sparkqlora.objective.ContrastivePreference;
import org.sparkqlora.objective.DirectPreference;
import org.sparkqlora.objective.DirectPreference.Weighted;
import org.sparkqlora.objective.KahnemanTversky;
import org.sparkqlora.objective.Objective;
import org.sparkqlora.objective.ObjectiveKind;
import org.sparkqlora.objective.OddsRatio;
import org.sparkqlora.objective.Reference;
import org.sparkqlora.objective.RewardModeling;
import org.sparkqlora.objective.UnpairedLoss;
import picocli.CommandLine.Option;

/** The losses of answers and their numbers; names and defaults are those of TRL. */
@OptionGroup.In(OptionGroup.OBJECTIVE)
public final class ObjectiveOptions {
    @Option(
            names = "--dpo-loss",
            split = ",",
            defaultValue = "sigmoid",
            paramLabel = "LOSSES",
            description =
                    "sigmoid, hinge, ipo, robust, exo_pair, nca_pair, sppo_hard, apo_zero, apo_down, sigmoid_norm, or several of"
                            + " them; also sft, the loss of chosen answers. Default: ${DEFAULT-VALUE}.")
    List<String> dpoLosses = new ArrayList<>(List.of("sigmoid"));

    @Option(
            names = "--loss-weights",
            split = ",",
            paramLabel = "WEIGHTS",
            description = "Factors of the losses of --dpo-loss, in their order. Default: 1 for each.")
    List<Double> lossWeights = new ArrayList<>();

    @Option(
            names = "--kto-loss",
            defaultValue = "kto",
            paramLabel = "LOSS",
            description = "kto or apo_zero_unpaired. Default: ${DEFAULT-VALUE}.")
    UnpairedLoss ktoLoss = UnpairedLoss.KTO;

    @OptionGroup.Common
    @Option(
            names = "--beta",
            defaultValue = "0.1",
            paramLabel = "B",
            description = "How near the model stays to the reference. Default: ${DEFAULT-VALUE}.")
    double beta = 0.1;

    @Option(
            names = "--label-smoothing",
            defaultValue = "0",
            paramLabel = "E",
            description =
                    "Share of pairs that are thought to be the wrong way round; robust, exo_pair, cpo and simpo take it."
                            + " Default: ${DEFAULT-VALUE}.")
    double labelSmoothing;

    @Option(
            names = "--ld-alpha",
            paramLabel = "A",
            description =
                    "Factor on the log-probabilities of the tokens that the longer answer of a pair has more. Default: all count alike.")
    @Nullable
    Double ldAlpha;

    @Option(
            names = "--desirable-weight",
            defaultValue = "1",
            paramLabel = "W",
            description = "Factor on the loss of desirable answers. Default: ${DEFAULT-VALUE}.")
    double desirableWeight = 1;

    @Option(
            names = "--undesirable-weight",
            defaultValue = "1",
            paramLabel = "W",
            description = "Factor on the loss of other answers. Default: ${DEFAULT-VALUE}.")
    double undesirableWeight = 1;

    @Option(
            names = "--simpo-gamma",
            defaultValue = "0.5",
            paramLabel = "G",
            description = "The margin between answers that simpo asks for. Default: ${DEFAULT-VALUE}.")
    double simpoGamma = 0.5;

    @Option(
            names = "--cpo-alpha",
            paramLabel = "A",
            description = "Factor on the loss of chosen answers. Default: 1 for cpo, 0 for simpo.")
    @Nullable
    Double cpoAlpha;

    @Option(
            names = "--reference",
            paramLabel = "MODEL",
            description =
                    "base or initial: what dpo and kto measure answers from, the base as it was or the adapter of --init-adapter."
                            + " Default: initial with --init-adapter, else base.")
    @Nullable
    Reference reference;

    @Option(
            names = "--precompute-ref-log-probs",
            description =
                    "Compute the log-probabilities of the reference once, before training, and keep them with the rows: for runs"
                            + " of several epochs. No byte of the result depends on it.")
    public boolean precomputesReference;

    @Option(
            names = "--center-rewards-coefficient",
            defaultValue = "0",
            paramLabel = "A",
            description =
                    "How strongly reward draws the mean of both rewards of a pair to 0, such as 0.01. Default: ${DEFAULT-VALUE}.")
    double center;

    /** @param hasInitial whether there is an adapter to start from */
    public void check(Problems problems, DataOptions data, boolean hasInitial) {
        ObjectiveKind kind = data.objective;
        ofSomeObjectives().stream()
                .filter(option -> option.given && !option.objectives.contains(kind))
                .forEach(option -> problems.add("%s: expected --objective %s with it, found %s"
                        .formatted(
                                option.name,
                                option.objectives.stream()
                                        .map(ObjectiveKind::optionName)
                                        .collect(Collectors.joining(" or ")),
                                kind.optionName())));
        problems.require(
                reference != Reference.INITIAL || hasInitial,
                "--reference: expected --init-adapter with initial, found none");
        if (kind != ObjectiveKind.CLASSIFY) { // whose labels are checked where they must be given
            problems.collect("--objective " + kind.optionName(), () -> of(data, hasInitial));
        }
    }

    /** The options that not every objective takes. */
    private List<ObjectiveOption> ofSomeObjectives() {
        List<ObjectiveKind> dpo = List.of(ObjectiveKind.DPO);
        List<ObjectiveKind> kto = List.of(ObjectiveKind.KTO);
        List<ObjectiveKind> fromReference = List.of(ObjectiveKind.DPO, ObjectiveKind.KTO);
        ObjectiveOptions plain = new ObjectiveOptions();
        return List.of(
                new ObjectiveOption("--dpo-loss", !dpoLosses.equals(plain.dpoLosses), dpo),
                new ObjectiveOption("--loss-weights", !lossWeights.isEmpty(), dpo),
                new ObjectiveOption("--kto-loss", ktoLoss != plain.ktoLoss, kto),
                new ObjectiveOption(
                        "--beta",
                        beta != plain.beta,
                        List.of(
                                ObjectiveKind.DPO,
                                ObjectiveKind.KTO,
                                ObjectiveKind.ORPO,
                                ObjectiveKind.CPO,
                                ObjectiveKind.SIMPO)),
                new ObjectiveOption(
                        "--label-smoothing",
                        labelSmoothing != plain.labelSmoothing,
                        List.of(ObjectiveKind.DPO, ObjectiveKind.CPO, ObjectiveKind.SIMPO)),
                new ObjectiveOption("--ld-alpha", ldAlpha != null, dpo),
                new ObjectiveOption("--desirable-weight", desirableWeight != plain.desirableWeight, kto),
                new ObjectiveOption("--undesirable-weight", undesirableWeight != plain.undesirableWeight, kto),
                new ObjectiveOption("--simpo-gamma", simpoGamma != plain.simpoGamma, List.of(ObjectiveKind.SIMPO)),
                new ObjectiveOption("--cpo-alpha", cpoAlpha != null, List.of(ObjectiveKind.CPO, ObjectiveKind.SIMPO)),
                new ObjectiveOption("--reference", reference != null, fromReference),
                new ObjectiveOption("--precompute-ref-log-probs", precomputesReference, fromReference),
                new ObjectiveOption(
                        "--center-rewards-coefficient", center != plain.center, List.of(ObjectiveKind.REWARD)));
    }

    /**
     * An option that not every objective takes.
     *
     * @param given whether its value is another than the default
     * @param objectives that take it
     */
    private record ObjectiveOption(String name, boolean given, List<ObjectiveKind> objectives) {}

    /** The objective that the options ask for. */
    public Objective of(DataOptions data, boolean hasInitial) {
        return switch (data.objective) {
            case SFT -> Objective.SFT;
            case DPO -> new DirectPreference(weighted(), beta, labelSmoothing, ldAlpha, reference(hasInitial));
            case KTO -> new KahnemanTversky(ktoLoss, beta, desirableWeight, undesirableWeight, reference(hasInitial));
            case ORPO -> new OddsRatio(beta);
            case CPO -> ContrastivePreference.cpo(beta, labelSmoothing, cpoAlpha == null ? 1 : cpoAlpha);
            case SIMPO ->
                ContrastivePreference.simpo(beta, simpoGamma, labelSmoothing, cpoAlpha == null ? 0 : cpoAlpha);
            case REWARD -> new RewardModeling(center);
            case CLASSIFY -> new Classification(data.textLabels());
        };
    }

    private List<Weighted> weighted() {
        if (!lossWeights.isEmpty() && lossWeights.size() != dpoLosses.size()) {
            throw new IllegalArgumentException(
                    "Cannot weigh losses: expected as many --loss-weights as --dpo-loss, found %d and %d"
                            .formatted(lossWeights.size(), dpoLosses.size()));
        }

        return IntStream.range(0, dpoLosses.size())
                .mapToObj(i -> new Weighted(dpoLosses.get(i), lossWeights.isEmpty() ? 1 : lossWeights.get(i)))
                .toList();
    }

    private Reference reference(boolean hasInitial) {
        if (reference != null) {
            return reference;
        }

        return hasInitial ? Reference.INITIAL : Reference.BASE;
    }
}
