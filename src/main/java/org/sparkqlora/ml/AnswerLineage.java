package org.sparkqlora.ml;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.GenerateOptions;
import org.sparkqlora.run.output.CommandLineage;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.spark.lineage.LineageDataset;
import org.sparkqlora.spark.lineage.LineageInputs;
import org.sparkqlora.spark.source.SourceTable;

/** Answers to a table as OpenLineage sees them: base, adapter and prompts go in, a table comes out. Driver only. */
record AnswerLineage(GenerateOptions options, JavaSparkContext context, Console console) {
    private static final Pattern OF_PATH = Pattern.compile("(?i)delta\\.`(.+)`");

    /** Does the work, told to OpenLineage where that is asked for. */
    <T> T follow(SparkSession session, SourceTable prompts, String target, Supplier<T> work) {
        LineageInputs tables = new LineageInputs(session, context.hadoopConfiguration());
        String job = target.replaceFirst(".*[./]", "").replace("`", "");
        CommandLineage.Work told =
                new CommandLineage.Work(job, "generate", () -> inputs(tables.of(prompts)), List.of());
        return new CommandLineage(options.lineage, context.getConf(), console)
                .follow(told, work, done -> written(tables, session, target));
    }

    private List<LineageDataset> inputs(LineageDataset prompts) {
        List<LineageDataset> inputs = new ArrayList<>();
        inputs.add(CommandLineage.model(options.model.address()));
        options.adapters.all().forEach(adapter -> inputs.add(CommandLineage.adapter(adapter.folder())));
        inputs.add(prompts);
        return inputs;
    }

    private static LineageDataset written(LineageInputs tables, SparkSession session, String target) {
        Matcher path = OF_PATH.matcher(target);
        return path.matches()
                ? CommandLineage.at(Location.parse(path.group(1)))
                : tables.of(SourceTable.present(session, target));
    }
}
