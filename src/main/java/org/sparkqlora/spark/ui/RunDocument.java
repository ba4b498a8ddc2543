package org.sparkqlora.spark.ui;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.spark.watch.RunView;

/**
 * A run as a piece of a page: with its style and its script, and no file beside it.
 *
 * @param runs the newest first
 * @param chosen which of them; the newest when it is none of them
 */
record RunDocument(List<RunView> runs, @Nullable String chosen) {
    RunDocument {
        runs = List.copyOf(runs);
    }

    /** The content below the bar of tabs. */
    String tabContent() {
        String content = runs.isEmpty()
                ? "<p class=\"none\">No training in this application so far.</p>"
                : choice() + new RunSections(shown()).html();
        boolean live = runs.isEmpty() || shown().outcome() == RunView.Outcome.RUNNING;
        return "<style>%s%s</style><div id=\"qlora\" class=\"qlora\"%s>%s</div><script>%s</script>"
                .formatted(
                        Resource.text("run.css"),
                        Resource.text("tab.css"),
                        live ? " data-live=\"2000\"" : "",
                        content,
                        Resource.text("run.js"));
    }

    private RunView shown() {
        return runs.stream().filter(run -> run.run().equals(chosen)).findFirst().orElse(runs.get(0));
    }

    private String choice() {
        if (runs.size() == 1) {
            return "";
        }

        StringBuilder html = new StringBuilder("<nav class=\"runs\" aria-label=\"Runs of this application\">");
        for (RunView run : runs) {
            String here = run.equals(shown()) ? " aria-current=\"page\"" : "";
            html.append("<a href=\"?run=%s\"%s>%s, %s steps</a>"
                    .formatted(Html.escape(run.run()), here, Html.escape(run.name()), Amount.whole(run.steps())));
        }

        return html.append("</nav>").toString();
    }
}
