package org.sparkqlora.spark.prepare;

import java.io.IOException;
import java.io.Serializable;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.sparkqlora.data.BadRecordException;
import org.sparkqlora.data.Columns;
import org.sparkqlora.data.LabelNamesJson;
import org.sparkqlora.data.Labels;
import org.sparkqlora.data.ProblemType;
import org.sparkqlora.spark.cluster.HadoopJobs;
import org.sparkqlora.spark.cluster.TaskSlots;
import org.sparkqlora.spark.source.NumberedRecords;
import org.sparkqlora.spark.source.RecordLines;
import org.sparkqlora.spark.source.SourceSplit;

/**
 * Looks for the classes of labelled texts in all of their records, as Spark jobs.
 *
 * @param mostBytes of a record that counts
 */
record LabelSurvey(ProblemType problem, Columns columns, int mostBytes) implements Serializable {
    /** Driver only. */
    Labels of(JavaSparkContext context, List<SourceSplit> splits, List<NumberedRecords> tables) {
        Set<String> found = new TreeSet<>();
        try (HadoopJobs jobs = HadoopJobs.begin(context, "look for the labels of texts")) {
            Broadcast<SerializableConfiguration> hadoop = jobs.hadoop(); // tasks take it alone
            if (!splits.isEmpty()) {
                found.addAll(context.parallelize(splits, TaskSlots.parts(context, splits.size()))
                        .flatMap(split -> in(split, hadoop.value().value()))
                        .collect());
            }

            tables.forEach(table -> found.addAll(table.read(
                    () -> table.numbered().values().mapPartitions(this::in).collect())));
            return LabelNamesJson.labels(problem, found);
        }
    }

    /** Runs in a task. */
    private Iterator<String> in(SourceSplit split, Configuration configuration) throws IOException {
        LabelNamesJson names = new LabelNamesJson(problem, columns);
        try (RecordLines lines = RecordLines.open(split, mostBytes, configuration)) {
            boolean more = true;
            while (more && !names.isFull()) {
                more = addNext(lines, names);
            }
        }

        return names.found().iterator();
    }

    /** False behind the last record. */
    private static boolean addNext(RecordLines lines, LabelNamesJson names) throws IOException {
        try {
            String record = lines.next();
            names.add(record);
            return record != null;
        } catch (BadRecordException e) {
            return true; // it has no label, and preparing says why
        }
    }

    /** Runs in a task. */
    private Iterator<String> in(Iterator<String> records) {
        LabelNamesJson names = new LabelNamesJson(problem, columns);
        while (records.hasNext() && !names.isFull()) {
            names.add(records.next());
        }

        return names.found().iterator();
    }
}
