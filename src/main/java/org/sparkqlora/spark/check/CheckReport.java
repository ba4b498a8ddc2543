package org.sparkqlora.spark.check;

import java.util.List;

/**
 * The problems of a cluster for a run.
 *
 * @param problems with which it would fail
 * @param advice on what would only be slow, or come out differently
 */
public record CheckReport(List<String> problems, List<String> advice) {
    public CheckReport {
        problems = List.copyOf(problems);
        advice = List.copyOf(advice);
    }
}
