package org.sparkqlora.run.train;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.data.HeldOutSplit;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.EvaluationOptions;
import org.sparkqlora.options.TrainOptions;
import org.sparkqlora.run.output.OutputFolder;
import org.sparkqlora.run.output.RunFiles;
import org.sparkqlora.run.prepare.ModelEncoders;
import org.sparkqlora.run.prepare.Preparation;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.prepare.PreparedData;
import org.sparkqlora.spark.prepare.RowScorer;
import org.sparkqlora.spark.prepare.ScoredRows;
import org.sparkqlora.storage.Sha256;

/**
 * The rows that a run trains on and those that are held out. Driver only.
 *
 * @param options of the run
 * @param encoders of its records
 * @param output where rows are, unless runs share a folder of them
 */
record TrainingRows(TrainOptions options, ModelEncoders encoders, OutputFolder output) {
    /** Characters of a fingerprint that tell the rows of a shared folder apart. */
    private static final int NAME = 16;

    /** Looks at the first records, which tell what is wrong with all of them. */
    static void look(Preparation preparation, TrainOptions options) {
        preparation.look(options.data.sources, options.data);
        if (!options.evaluation.heldOut.isEmpty()) {
            preparation.look(options.evaluation.heldOut, options.data);
        }
    }

    PreparedData trained(Preparation preparation) {
        return rows(preparation, options.data.sources, RunFiles.ROWS);
    }

    @Nullable
    PreparedData heldOut(JavaSparkContext context, Console console) {
        EvaluationOptions evaluation = options.evaluation;
        boolean apart = !evaluation.heldOut.isEmpty();
        if (!apart && evaluation.fraction == 0) {
            return null;
        }

        List<String> sources = apart ? evaluation.heldOut : options.data.sources;
        return rows(
                new Preparation(context, console, apart ? HeldOutSplit.ALL : evaluation.heldOutPart()),
                sources,
                RunFiles.HELD_OUT_ROWS);
    }

    /** Rows with the log-probabilities of a reference beside those of {@code rows}, which are in the folder {@code own} or in one that runs share. */
    PreparedData scored(JavaSparkContext context, PreparedData rows, String reference, RowScorer scorer, String own) {
        Location shared = options.run.prepared;
        if (shared != null) {
            String name = Sha256.hex((rows.manifest().fingerprint() + reference).getBytes(StandardCharsets.UTF_8))
                    .substring(0, NAME);
            return ScoredRows.of(
                    context,
                    rows,
                    reference,
                    scorer,
                    shared.resolve(name).path().toString());
        }

        Location target = output.resolve(own);
        boolean isNew = output.noteFolder(own);
        PreparedData scored =
                ScoredRows.of(context, rows, reference, scorer, target.path().toString());
        if (isNew) {
            scored.fileNames().forEach(name -> output.noteFile(target.resolve(name)));
        }

        return scored;
    }

    /** Rows in the folder {@code own} of the output, or in one that other runs of the same rows share: its name is then that of the rows. */
    private PreparedData rows(Preparation preparation, List<String> sources, String own) {
        Location shared = options.run.prepared;
        if (shared != null) {
            String name =
                    preparation.fingerprint(sources, encoders, options.data).substring(0, NAME);
            return preparation.rows(
                    sources, encoders, options.data, shared.resolve(name).path().toString());
        }

        Location target = output.resolve(own);
        boolean isNew = output.noteFolder(own);
        PreparedData rows =
                preparation.rows(sources, encoders, options.data, target.path().toString());
        if (isNew && rows.folder().equals(target.path().toString())) {
            rows.fileNames().forEach(name -> output.noteFile(target.resolve(name)));
        }

        return rows;
    }
}
