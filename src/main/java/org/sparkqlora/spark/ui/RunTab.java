package org.sparkqlora.spark.ui;

import org.apache.spark.ui.SparkUI;
import org.apache.spark.ui.SparkUITab;
import org.apache.spark.util.kvstore.KVStore;

/** The tab "QLoRA" of an application's web pages, live or in the history server. */
final class RunTab extends SparkUITab {
    private static final String PATH = "qlora";

    RunTab(SparkUI pages, KVStore store) {
        super(pages, PATH);
        attachPage(new RunPage(this, store));
    }

    @Override
    public String name() {
        return "QLoRA";
    }
}
