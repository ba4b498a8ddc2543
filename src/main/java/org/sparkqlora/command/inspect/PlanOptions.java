package org.sparkqlora.command.inspect;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.model.layout.SavedModules;
import org.sparkqlora.model.layout.TargetModules.Narrowed;
import org.sparkqlora.objective.Classification;
import org.sparkqlora.objective.ContrastivePreference;
import org.sparkqlora.objective.DirectPreference;
import org.sparkqlora.objective.DirectPreference.Weighted;
import org.sparkqlora.objective.KahnemanTversky;
import org.sparkqlora.objective.Objective;
import org.sparkqlora.objective.ObjectiveKind;
import org.sparkqlora.objective.OddsRatio;
import org.sparkqlora.objective.RewardModeling;
import org.sparkqlora.optim.OptimizerSpec;
import org.sparkqlora.optim.Schedule;
import org.sparkqlora.options.OptionGroup;
import org.sparkqlora.options.OptionParser;
import org.sparkqlora.options.OptionsYaml;
import org.sparkqlora.options.Required;
import org.sparkqlora.options.TrainOptions;
import org.sparkqlora.run.output.PlanFile;
import org.sparkqlora.run.output.RunFiles;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.train.BatchPlan;
import org.sparkqlora.train.BatchPlan.RowOrder;
import org.sparkqlora.train.TrainPlan;
import picocli.CommandLine.Model.CommandSpec;

/** The options by which {@code train} makes a plan again. */
final class PlanOptions {
    private final Map<String, Object> values = new LinkedHashMap<>();

    private PlanOptions() {}

    /** A file for {@code --config}, from {@code plan.json} or an output folder with one. */
    static String yaml(Path path) {
        Path file = Files.isDirectory(path) ? path.resolve(RunFiles.PLAN) : path;
        TrainPlan plan = PlanFile.read(Location.of(file))
                .orElseThrow(
                        () -> new BadInputException("Cannot read %s: expected a plan, found nothing".formatted(file)));
        PlanOptions options = new PlanOptions();
        options.addAll(plan);
        String rows = options.addRows(file.resolveSibling(RunFiles.ROWS).toAbsolutePath(), plan);
        return """
                # All of the plan in %s. Not part of a plan: output, evaluation, checkpoints, new tokens, memory, watching.
                %s%s""".formatted(file, rows, OptionsYaml.write(options.grouped()));
    }

    private void addAll(TrainPlan plan) {
        values.put("model", plan.model());
        values.put("method", plan.spec().method().optionName());
        values.put("precision", plan.spec().precision().optionName());
        values.put("quant", plan.spec().quant().code().optionName());
        values.put("no-double-quant", !plan.spec().quant().doubleQuant());
        LoraSpec lora = plan.spec().lora();
        if (plan.initialAdapter() != null) {
            values.put("init-adapter", plan.initialAdapter());
        } else if (lora != null) {
            add(lora);
        }

        values.put("neftune-noise-alpha", plan.spec().noise());
        if (plan.spec().routerLoss() != 0) {
            values.put("router-aux-loss-coef", plan.spec().routerLoss());
        }

        if (plan.objective().kind() != ObjectiveKind.SFT) {
            values.put("objective", plan.objective().kind().optionName());
            add(plan.objective());
        }

        add(plan.optimizer());
        add(plan.schedule());
        add(plan.batches());
        values.put("max-grad-norm", plan.maxGradientNorm());
        values.put("wire", plan.gradientDtype().optionName());
        values.put("seed", plan.seed());
    }

    private void add(LoraSpec lora) {
        values.put("rank", lora.rank());
        values.put("alpha", lora.alpha());
        values.put("dropout", lora.dropout());
        if (lora.targets() instanceof Narrowed narrowed) {
            values.put("target-modules", narrowed.chosen().words());
            values.put("layers-to-transform", narrowed.layers());
            if (narrowed.excluded() != null) {
                values.put("exclude-modules", narrowed.excluded().words());
            }
        } else {
            values.put("target-modules", lora.targets().words());
        }

        if (!lora.parameters().isEmpty()) {
            values.put("target-parameters", lora.parameters().names());
        }

        values.put("rank-pattern", lora.rankPattern());
        values.put("alpha-pattern", lora.alphaPattern());
        values.put("init-lora-weights", lora.initialization().optionName());
        values.put("use-rslora", lora.rankStabilized());
        values.put("use-dora", lora.weightDecomposed());
        add(lora.saved());
    }

    private void add(SavedModules saved) {
        if (saved.isEmpty()) {
            return;
        }

        values.put(
                "modules-to-save",
                saved.modules().stream().map(module -> module.optionName()).toList());
        values.put("no-weight-tying", !saved.weightTying());
        if (saved.rows() != 0) {
            values.put("resize-token-embeddings", saved.rows());
        }
    }

    private void add(Objective objective) {
        if (objective instanceof DirectPreference dpo) {
            values.put("dpo-loss", dpo.losses().stream().map(Weighted::loss).toList());
            values.put(
                    "loss-weights", dpo.losses().stream().map(Weighted::weight).toList());
            values.put("beta", dpo.beta());
            values.put("label-smoothing", dpo.labelSmoothing());
            putUnlessNull("ld-alpha", dpo.ldAlpha());
            values.put("reference", dpo.from().optionName());
        } else if (objective instanceof KahnemanTversky kto) {
            values.put("kto-loss", kto.loss().optionName());
            values.put("beta", kto.beta());
            values.put("desirable-weight", kto.desirableWeight());
            values.put("undesirable-weight", kto.undesirableWeight());
            values.put("reference", kto.from().optionName());
        } else if (objective instanceof OddsRatio orpo) {
            values.put("beta", orpo.beta());
        } else if (objective instanceof ContrastivePreference pairs) {
            values.put("beta", pairs.beta());
            values.put("simpo-gamma", pairs.gamma());
            values.put("label-smoothing", pairs.labelSmoothing());
            values.put("cpo-alpha", pairs.cpoAlpha());
        } else if (objective instanceof RewardModeling reward) {
            values.put("center-rewards-coefficient", reward.center());
        } else if (objective instanceof Classification classes) {
            values.put("labels", classes.labels().names());
            values.put("problem-type", classes.labels().problem().optionName());
        }
    }

    private void putUnlessNull(String name, @Nullable Object value) {
        if (value != null) {
            values.put(name, value);
        }
    }

    private void add(OptimizerSpec optimizer) {
        values.put("optimizer", optimizer.kind().optionName());
        values.put("adam-beta1", optimizer.beta1());
        values.put("adam-beta2", optimizer.beta2());
        values.put("adam-epsilon", optimizer.epsilon());
        values.put("weight-decay", optimizer.weightDecay());
        values.put("loraplus-ratio", optimizer.loraPlusRatio());
    }

    private void add(Schedule schedule) {
        values.put("schedule", schedule.kind().optionName());
        values.put("learning-rate", schedule.base());
        values.put("warmup-steps", schedule.warmupSteps());
        values.put("warmup-ratio", 0);
    }

    private void add(BatchPlan batches) {
        values.put("batch-size", batches.batchSize());
        values.put("micro-batch-size", batches.microBatchSize());
        values.put("shards", batches.shards());
        values.put("local-steps", batches.localSteps());
        values.put("no-shuffle", batches.order() == RowOrder.FILE_ORDER);
        if (batches.endsWithAWholeStep()) {
            values.put("max-steps", batches.steps());
        } else {
            values.put("epochs", (double) batches.endPosition() / batches.rows());
        }
    }

    /** Adds the rows beside the plan, if they are its own; otherwise says what is missing. */
    private String addRows(Path prepared, TrainPlan plan) {
        boolean own = PreparedData.find(prepared.toUri().toString(), new Configuration())
                .filter(rows -> rows.manifest().fingerprint().equals(plan.data()))
                .isPresent();
        if (own) {
            values.put("data", prepared.toString());
        }

        return own ? "" : "# Nor are its data, of which a plan has only a fingerprint: give --data.\n";
    }

    private Map<String, Map<String, Object>> grouped() {
        CommandSpec train = OptionParser.of(new TrainOptions()).getCommandSpec();
        Map<OptionGroup, Map<String, Object>> groups = new TreeMap<>();
        values.forEach((name, value) -> groups.computeIfAbsent(
                        OptionGroup.of(Required.value(name, train.findOption("--" + name))),
                        group -> new LinkedHashMap<>())
                .put(name, value));
        Map<String, Map<String, Object>> named = new LinkedHashMap<>();
        groups.forEach((group, options) -> named.put(group.key(), options));
        return named;
    }
}
