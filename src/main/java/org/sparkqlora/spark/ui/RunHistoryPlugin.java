package org.sparkqlora.spark.ui;

import org.apache.spark.SparkConf;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.status.AppHistoryServerPlugin;
import org.apache.spark.status.ElementTrackingStore;
import org.apache.spark.ui.SparkUI;
import org.apache.spark.util.kvstore.KVStore;
import org.sparkqlora.spark.watch.RunListener;
import scala.collection.immutable.List;
import scala.collection.immutable.Nil$;

/** Gives the history server the tab of applications that trained. It finds this class through {@code META-INF/services}. */
public final class RunHistoryPlugin implements AppHistoryServerPlugin {
    @Override
    public List<SparkListener> createListeners(SparkConf conf, ElementTrackingStore store) {
        return Nil$.MODULE$.$colon$colon(RunListener.replayed(store));
    }

    @Override
    public void setupUI(SparkUI pages) {
        KVStore store = pages.store().store();
        if (!RunPages.runs(store).isEmpty()) {
            pages.attachTab(new RunTab(pages, store));
        }
    }
}
