package org.sparkqlora.spark.ui;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.sparkqlora.spark.watch.RunView;

/**
 * A run as a page of its own, with nothing beside it.
 *
 * @param run at its end
 * @param results figures by name, in reading order
 * @param samples answers of the model
 * @param published the published model
 */
public record RunReport(RunView run, Map<String, String> results, List<Sample> samples, Published published) {
    public RunReport {
        results = Collections.unmodifiableMap(new LinkedHashMap<>(results));
        samples = List.copyOf(samples);
    }

    public String html() {
        RunSections sections = new RunSections(run);
        String content = sections.head()
                + sections.tiles()
                + sections.curves()
                + resultTable()
                + sampleList()
                + published.html()
                + sections.phases()
                + sections.memory()
                + sections.faults()
                + sections.parameters();
        return """
                <!DOCTYPE html>
                <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
                <title>%s - spark-qlora</title><style>%s%s</style></head>
                <body><main id="qlora" class="qlora">%s</main><script>%s</script></body></html>
                """.formatted(
                        Html.escape(run.name()),
                        Resource.text("run.css"),
                        Resource.text("report.css"),
                        content,
                        Resource.text("run.js"));
    }

    private String resultTable() {
        List<List<String>> rows = new ArrayList<>();
        results.forEach((name, value) -> rows.add(List.of(name, value)));
        return Html.section("Results", Html.table("What came out", List.of("Name", "Value"), rows));
    }

    private String sampleList() {
        if (samples.isEmpty()) {
            return "";
        }

        return Html.section("Samples", samples.stream().map(RunReport::html).collect(Collectors.joining()));
    }

    private static String html(Sample sample) {
        return "<article class=\"sample\"><h3>%s</h3><div><h4>%s</h4><p>%s</p></div><div><h4>%s</h4><p>%s</p></div></article>"
                .formatted(
                        Html.escape(sample.prompt()),
                        sample.beforeStep() == 0 ? "Before" : "After step " + sample.beforeStep(),
                        Html.escape(sample.before()),
                        "After step " + sample.afterStep(),
                        Html.escape(sample.after()));
    }

    /**
     * The model's answer to a prompt, and its answer before training.
     *
     * @param beforeStep after which {@code before} was said; 0 is the base model
     * @param afterStep after which {@code after} was said
     */
    public record Sample(String prompt, long beforeStep, String before, long afterStep, String after) {}
}
