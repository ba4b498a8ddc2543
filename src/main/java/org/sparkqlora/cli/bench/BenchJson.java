package org.sparkqlora.cli.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** The summary of {@code bench}: an object a group, units in the names. */
final class BenchJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private BenchJson() {}

    static String summary(BenchReport report) {
        ObjectNode root = MAPPER.createObjectNode();
        root.put("command", "bench");
        root.put("model", report.model());
        BenchReport.BenchSetting setting = report.setting();
        root.putObject("setting")
                .put("threads", setting.threads())
                .put("sequence_length", setting.sequenceLength())
                .put("batch_size", setting.batchSize())
                .put("micro_batch_size", setting.microBatchSize())
                .put("rank", setting.rank());
        report.figures().forEach(figure -> root.withObject("/" + figure.group()).put(figure.name(), figure.value()));
        return root.toString();
    }
}
