package org.sparkqlora.bigdl;

import com.intel.analytics.bigdl.dllib.tensor.ArrayStorage;
import com.intel.analytics.bigdl.dllib.tensor.DenseTensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.spark.SparkConf;
import org.sparkqlora.spark.exchange.BigDl;
import org.sparkqlora.spark.exchange.GradientExchange;
import org.sparkqlora.spark.exchange.GradientSize;
import org.sparkqlora.spark.watch.EventFiles;
import org.sparkqlora.train.GradientFormat;
import org.sparkqlora.train.Summation;
import org.sparkqlora.train.Trigger;

/** BigDL in this jar. */
public final class LinkedBigDl implements BigDl {
    private static final String SPECULATION = "spark.speculation";

    @Override
    public GradientExchange exchange(GradientSize size, GradientFormat format) {
        return new BigDlExchange(format, size.parameters());
    }

    @Override
    public List<String> exchangeProblems(GradientSize size, SparkConf settings) {
        List<String> problems = new ArrayList<>();
        if (!TaggedSlices.fits(size.shards(), size.parameters())) {
            problems.add(String.format(
                    Locale.ROOT,
                    "Cannot exchange %d parameters by bigdl: it cuts one Java array, which holds fewer. Take --exchange auto.",
                    size.parameters()));
        }

        if (size.shards() > Summation.TREE.fanIn()) {
            problems.add(String.format(
                    Locale.ROOT,
                    "Cannot exchange gradients of %d shards by bigdl: it adds them one after the other, which from %d shards on is not the order of a run. Take --exchange auto, or at most %d --shards.",
                    size.shards(),
                    Summation.TREE.fanIn() + 1,
                    Summation.TREE.fanIn()));
        }

        if (settings.getBoolean(SPECULATION, false)) {
            problems.add(
                    "Cannot exchange gradients by bigdl while %s is true: it adds to a stored slice in place, where a second copy of a task would find it half added. Set it to false, or take --exchange auto."
                            .formatted(SPECULATION));
        }

        return problems;
    }

    @Override
    public Trigger trigger(String text) {
        return TriggerText.parse(text);
    }

    @Override
    public EventFiles eventFiles(Path folder, String run) {
        return new SummaryFiles(folder, run);
    }

    @Override
    public List<Class<?>> kryoClasses() {
        return List.of(
                DenseTensor.class,
                ArrayStorage.class,
                FloatTensors.tag().getClass(),
                FloatTensors.arithmetic().getClass());
    }
}
