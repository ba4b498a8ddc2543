package org.sparkqlora.spark.ui;

import org.apache.spark.ui.SparkUI;
import org.apache.spark.ui.SparkUITab;
import org.apache.spark.util.kvstore.KVStore;
import org.jspecify.annotations.Nullable;
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

    /** The page of the run of that name, or of the newest; a list, since the pages of both Spark versions take one. */
    List<Node> content(@Nullable String run) {
        return Nil$.MODULE$.$colon$colon(new Unparsed(new RunDocument(RunPages.runs(store), run).tabContent()));
    }
}
