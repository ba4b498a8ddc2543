package org.sparkqlora.spark.ui;

import jakarta.servlet.http.HttpServletRequest;
import org.apache.spark.ui.WebUIPage;
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
    @SuppressWarnings("unchecked") // the tab calls a method that has another form on each line
    public Seq<Node> render(HttpServletRequest request) {
        return (Seq<Node>) tab.page(request, request.getParameter("run"));
    }
}
