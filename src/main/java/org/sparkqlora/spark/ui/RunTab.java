package org.sparkqlora.spark.ui;

import org.apache.spark.ui.SparkUI;
import org.apache.spark.ui.SparkUITab;
import org.apache.spark.ui.UIUtils$;
import org.apache.spark.util.kvstore.KVStore;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.spark.cluster.ScalaMethod;
import scala.Function0;
import scala.collection.immutable.List;
import scala.collection.immutable.Nil$;
import scala.xml.Node;
import scala.xml.Unparsed;

/** The tab "QLoRA" of an application's web pages, live or in the history server. */
final class RunTab extends SparkUITab {
    private static final String PATH = "qlora";

    private final KVStore store;

    RunTab(SparkUI pages, KVStore store) {
        super(pages, PATH);
        this.store = store;
        attachPage(new RunPage(this));
    }

    @Override
    public String name() {
        return "QLoRA";
    }

    /**
     * The page of the run of that name, or of the newest, inside Spark's own frame.
     *
     * @param request of the servlets of this line of Spark
     */
    Object page(Object request, @Nullable String run) {
        Function0<List<Node>> content = () -> content(run);
        try {
            return ScalaMethod.call(UIUtils$.MODULE$, "headerSparkPage", request, name(), content, this);
        } catch (Exception e) { // the method may throw any
            throw new IllegalStateException("Failed to draw a page with Spark's frame", e);
        }
    }

    /** A list, since the pages of both lines of Scala take one. */
    private List<Node> content(@Nullable String run) {
        return Nil$.MODULE$.$colon$colon(new Unparsed(new RunDocument(RunPages.runs(store), run).tabContent()));
    }
}
