package org.sparkqlora.spark.ui;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.ui.SparkUI;
import org.apache.spark.util.kvstore.KVStore;
import org.apache.spark.util.kvstore.KVStoreIterator;
import org.sparkqlora.spark.watch.RunEvent;
import org.sparkqlora.spark.watch.RunListener;
import org.sparkqlora.spark.watch.RunView;
import scala.Option;

/** The tab of an application's web pages, and the way to them. */
public final class RunPages {
    private RunPages() {}

    /** Adds the tab to a running application that has web pages, unless it is there, and gives the way for events. */
    public static Consumer<RunEvent> of(JavaSparkContext context) {
        Option<SparkUI> pages = context.sc().ui();
        if (pages.isDefined() && !hasTab(pages.get())) {
            KVStore store = pages.get().store().store();
            context.sc().addSparkListener(RunListener.live(store));
            pages.get().attachTab(new RunTab(pages.get(), store));
        }

        return event -> context.sc().listenerBus().post(event);
    }

    /** Runs of an application, the newest first. */
    static List<RunView> runs(KVStore store) {
        List<RunView> runs = new ArrayList<>();
        try (KVStoreIterator<RunView> stored = store.view(RunView.class).closeableIterator()) {
            stored.forEachRemaining(runs::add);
        } catch (Exception e) {
            throw new IllegalStateException("Failed to read the runs of the application", e);
        }

        runs.sort(Comparator.comparingLong(RunView::startMillis).reversed());
        return runs;
    }

    private static boolean hasTab(SparkUI pages) {
        return pages.getTabs().exists(RunTab.class::isInstance);
    }
}
