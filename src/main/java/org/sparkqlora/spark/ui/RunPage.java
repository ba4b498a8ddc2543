package org.sparkqlora.spark.ui;

import javax.servlet.http.HttpServletRequest;
import org.apache.spark.ui.UIUtils$;
import org.apache.spark.ui.WebUIPage;
import org.apache.spark.util.kvstore.KVStore;
import scala.Option;
import scala.collection.Seq;
import scala.collection.immutable.Nil$;
import scala.xml.Node;
import scala.xml.Unparsed;

/** The page of the newest run, or of the one that {@code ?run=} names. */
final class RunPage extends WebUIPage {
    private final RunTab tab;
    private final KVStore store;

    RunPage(RunTab tab, KVStore store) {
        super("");
        this.tab = tab;
        this.store = store;
    }

    @Override
    public Seq<Node> render(HttpServletRequest request) {
        String page = new RunDocument(RunPages.runs(store), request.getParameter("run")).tabContent();
        return UIUtils$.MODULE$.headerSparkPage(request, "QLoRA", () -> nodes(page), tab, Option.empty(), false, false);
    }

    private static Seq<Node> nodes(String html) {
        return Nil$.MODULE$.$colon$colon(new Unparsed(html));
    }
}
