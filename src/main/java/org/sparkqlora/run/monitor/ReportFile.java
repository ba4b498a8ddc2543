package org.sparkqlora.run.monitor;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.sparkqlora.checkpoint.Server;
import org.sparkqlora.model.layout.FactorInitialization;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.run.generate.SamplesJson;
import org.sparkqlora.run.output.PublishedModel;
import org.sparkqlora.run.output.RunFiles;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.prepare.PreparationCounts;
import org.sparkqlora.spark.ui.Published;
import org.sparkqlora.spark.ui.RunReport;
import org.sparkqlora.spark.ui.RunReport.Sample;
import org.sparkqlora.spark.watch.RunView;
import org.sparkqlora.train.TrainPlan;
import org.sparkqlora.train.metrics.TrainSummary;

/** {@code report.html}: a run for people, in one file, made when it is over. */
record ReportFile(Location output) {
    /** Replaces the report as a whole. */
    Location write(TrainPlan plan, RunView run, TrainSummary summary, PreparationCounts data, PublishedModel result) {
        Location file = output.resolve(RunFiles.REPORT);
        RunReport report =
                new RunReport(run, results(summary, data, result), samples(), published(plan, run.name(), result));
        file.replaceText(report.html());

        return file;
    }

    private List<Sample> samples() {
        return output.resolve(RunFiles.SAMPLES)
                .text()
                .map(SamplesJson::firstAndLast)
                .orElse(List.of());
    }

    private static Published published(TrainPlan plan, String name, PublishedModel result) {
        LoraSpec lora = plan.spec().lora();
        String folder = result.folder().toString();
        if (lora == null) {
            return new Published(name, plan.model(), folder, Published.Kind.MODEL, 0);
        }

        boolean isPlain = Server.VLLM
                .objections(lora.withInitialization(FactorInitialization.DEFAULT))
                .isEmpty(); // published as an adapter of the unchanged base
        Published.Kind kind = isPlain ? Published.Kind.ADAPTER : Published.Kind.RICH_ADAPTER;
        int converted = plan.takenFactors() == null ? 1 : 2; // what was taken out of the base is added to the adapter
        return new Published(name, plan.model(), folder, kind, converted * largestRank(lora));
    }

    private static int largestRank(LoraSpec lora) {
        return lora.rankPattern().values().stream().mapToInt(Integer::intValue).reduce(lora.rank(), Math::max);
    }

    private static Map<String, String> results(TrainSummary summary, PreparationCounts data, PublishedModel result) {
        Map<String, String> results = new LinkedHashMap<>();
        results.put("Trained parameters", whole(result.parameters()));
        results.put("Steps", whole(summary.steps()));
        summary.firstLoss().ifPresent(loss -> results.put("Loss, first step", decimal(loss)));
        summary.lastLoss().ifPresent(loss -> results.put("Loss, last step", decimal(loss)));
        summary.evaluationLoss().ifPresent(loss -> {
            results.put("Loss on held-out rows", decimal(loss));
            results.put("Perplexity on held-out rows", decimal(Math.exp(loss)));
        });
        results.put("Examples", whole(data.examples()));
        results.put("Rows", whole(data.rows()));
        results.put("Tokens of the data", whole(data.tokens()));
        results.put("Tokens that trained", whole(data.trainedTokens()));
        if (summary.seconds() > 0) {
            results.put("Tokens a second", whole(Math.round(summary.tokens() / summary.seconds())));
        }

        results.put("Published", result.folder().toString());
        return results;
    }

    private static String whole(long value) {
        return String.format(Locale.ROOT, "%,d", value);
    }

    private static String decimal(double value) {
        return String.format(Locale.ROOT, "%.4f", value);
    }
}
