package org.sparkqlora.cli;

import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.sparkqlora.spark.DataPreparation;
import org.sparkqlora.spark.LineEncoderSource;
import org.sparkqlora.spark.PreparationCounts;
import org.sparkqlora.spark.PreparedData;

/** Rows of the data that a command names: prepared now, or before. Driver only. */
final class Preparation {
    private final JavaSparkContext context;
    private final Console console;

    Preparation(JavaSparkContext context, Console console) {
        this.context = context;
        this.console = console;
    }

    /** Rows of {@code sources}, made in {@code target} unless they are a prepared folder already. */
    PreparedData rows(List<String> sources, LineEncoderSource encoders, DataOptions options, String target) {
        PreparedData data = ready(sources)
                .orElseGet(
                        () -> new DataPreparation(context).prepare(sources, encoders, options.preparation(), target));
        report(sources, data.manifest().counts());
        return data;
    }

    /** What the rows of {@code sources} are known by, without making them. */
    String fingerprint(List<String> sources, LineEncoderSource encoders, DataOptions options) {
        return ready(sources)
                .map(data -> data.manifest().fingerprint())
                .orElseGet(() -> new DataPreparation(context).fingerprint(sources, encoders, options.preparation()));
    }

    /** Tokens a row that the rows of {@code sources} have or will have. */
    int width(List<String> sources, DataOptions options) {
        return ready(sources).map(data -> data.manifest().width()).orElse(options.length.tokens);
    }

    /** The folder of {@code sources} if it is a prepared one already, which executors must see. */
    List<String> readyFolder(List<String> sources) {
        return ready(sources).map(PreparedData::folder).stream().toList();
    }

    /** The folder that an earlier {@code prepare} made, when the source is one. */
    private Optional<PreparedData> ready(List<String> sources) {
        Configuration configuration = context.hadoopConfiguration();
        return sources.size() == 1 ? PreparedData.find(sources.get(0), configuration) : Optional.empty();
    }

    private void report(List<String> sources, PreparationCounts counts) {
        console.note(
                "%s: %d examples, %d rows, %d tokens of which %d trained",
                String.join(",", sources), counts.examples(), counts.rows(), counts.tokens(), counts.trainedTokens());
        noteIfAny(counts.truncated(), "%d examples were longer than a row and were cut");
        noteIfAny(counts.untrained(), "%d examples have no trained token and were left out");
        noteIfAny(counts.bad(), "%d lines are no records and were left out");
    }

    private void noteIfAny(long count, String message) {
        if (count > 0) {
            console.note("  " + message, count);
        }
    }
}
