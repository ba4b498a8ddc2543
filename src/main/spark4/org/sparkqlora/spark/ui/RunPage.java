package org.sparkqlora.spark.ui;

import jakarta.servlet.http.HttpServletRequest;
import org.apache.spark.ui.UIUtils$;
import org.apache.spark.ui.WebUIPage;
import scala.Option;
import scala.collection.immutable.Seq;
import scala.xml.Node;

/** The page of the newest run, or of the one that {@code ?run=} names, by the servlets of Spark 4. */
final class RunPage extends WebUIPage {
    private final RunTab tab;

    RunPage(RunTab tab) {
        super("");
        this.tab = tab;
    }

    @Override
    public Seq<Node> render(HttpServletRequest request) {
        String run = request.getParameter("run");
        return UIUtils$.MODULE$.headerSparkPage(
                request, tab.name(), () -> tab.content(run), tab, Option.empty(), false, false);
    }
}
