package org.sparkqlora.spark.prepare;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.input.TreeJson;

/** {@code report.json} of a prepared folder. */
final class PreparationReportJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String LENGTHS = "examples_by_length";
    private static final String ROW_WIDTH = "row_width";
    private static final String ESTIMATED = "duplicates_estimated";

    private PreparationReportJson() {}

    static String write(PreparationReport report) {
        ObjectNode root = MAPPER.createObjectNode();
        root.put("sequence_length", report.width());
        root.put(ROW_WIDTH, report.rowWidth());
        CountsJson.write(report.counts(), root.putObject("counts"));
        for (int i = 0; i < report.lengths().size(); i++) {
            root.withArray(LENGTHS)
                    .addObject()
                    .put("from", 1L << i)
                    .put("to", (1L << i + 1) - 1)
                    .put("examples", report.lengths().get(i));
        }

        root.put("longest", report.longest());
        root.put("tokens_cut_off", report.cutTokens());
        root.put("duplicates", report.duplicates());
        root.put(ESTIMATED, report.duplicatesEstimated());
        root.put("double_bos", report.doubleBos());
        root.put("double_end", report.doubleEnd());
        root.put("missing_end", report.missingEnd());
        root.put("changed_prompts", report.changedPrompts());
        root.put("padding", report.padding());
        root.put("padding_without_packing", report.paddingUnpacked());
        root.put("packing_efficiency", report.packingEfficiency());
        return root.toPrettyString() + "\n";
    }

    static PreparationReport read(String json) {
        JsonNode root =
                TreeJson.read(json, e -> new BadInputException("Cannot read a report: " + e.getOriginalMessage(), e));

        List<Long> lengths = new ArrayList<>();
        root.path(LENGTHS).forEach(bucket -> lengths.add(bucket.path("examples").asLong()));
        return new PreparationReport(
                root.path("sequence_length").asInt(),
                root.path(ROW_WIDTH).asInt(root.path("sequence_length").asInt()), // not in reports of earlier versions
                CountsJson.read(root.path("counts")),
                lengths,
                root.path("longest").asLong(),
                root.path("tokens_cut_off").asLong(),
                root.path("duplicates").asLong(),
                root.path(ESTIMATED).asBoolean(),
                root.path("double_bos").asLong(),
                root.path("double_end").asLong(),
                root.path("missing_end").asLong(),
                root.path("changed_prompts").asLong());
    }
}
