package org.sparkqlora.spark.job;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import org.sparkqlora.model.LossTotal;

/** The losses of consecutive documents, compact for the way to the driver. */
public final class DocumentLosses implements Serializable {
    private static final long serialVersionUID = 1L;

    private final double[] sums;
    private final long[] tokens;

    DocumentLosses(List<LossTotal> losses) {
        this.sums = losses.stream().mapToDouble(LossTotal::lossSum).toArray();
        this.tokens = losses.stream().mapToLong(LossTotal::tokenCount).toArray();
    }

    List<LossTotal> toList() {
        List<LossTotal> losses = new ArrayList<>(sums.length);
        for (int i = 0; i < sums.length; i++) {
            losses.add(new LossTotal(sums[i], tokens[i]));
        }

        return losses;
    }
}
