package org.sparkqlora.command.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.sparkqlora.model.layout.Method;
import org.sparkqlora.options.NetworkSpeed;
import org.sparkqlora.train.BatchShape;

/**
 * The seconds of steps as tables for people.
 *
 * @param network of each executor and of the driver
 * @param costs by method, and then by number of executors
 */
record CostReport(NetworkSpeed network, List<ClusterCost> costs) {
    CostReport {
        costs = List.copyOf(costs);
    }

    List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add("");
        lines.add("Seconds of a step by --exchange shuffle, %s an executor, estimated".formatted(network));
        costs.stream().map(ClusterCost::method).distinct().forEach(method -> {
            lines.add(head(method));
            costs.stream().filter(cost -> cost.method() == method).forEach(cost -> lines.add(line(cost)));
        });
        return lines;
    }

    private static String head(Method method) {
        return "%-8s%12s%8s%8s%12s%12s%12s%12s"
                .formatted(
                        method.optionName(),
                        "executors",
                        "shards",
                        "rows",
                        "compute",
                        "exchange",
                        "driver",
                        "of ideal");
    }

    private static String line(ClusterCost cost) {
        CostModel.StepCost seconds = cost.seconds();
        return String.format(
                Locale.ROOT,
                "%-8s%12d%8d%8d%12.2f%12.2f%12.2f%10.0f %%",
                "",
                cost.step().executors(),
                cost.step().shards(),
                cost.step().batchSize(),
                seconds.compute(),
                seconds.exchange(),
                seconds.driver(),
                100 * seconds.shareOfIdeal());
    }

    /** The seconds of a step of one method on one number of executors. */
    record ClusterCost(Method method, BatchShape step, CostModel.StepCost seconds) {}
}
