package org.sparkqlora.run.export;

import org.jspecify.annotations.Nullable;
import org.sparkqlora.options.MergeBase;
import org.sparkqlora.spark.cluster.Location;
import org.sparkqlora.weights.QuantizationReport;

/**
 * A merged model.
 *
 * @param folder where it is
 * @param base what the adapter was folded into
 * @param sourceIsPlain the model it was made from is not in four bits
 * @param quantization what bringing it to four bits again cost; null when it was not
 */
public record MergeResult(
        Location folder,
        MergeBase base,
        boolean sourceIsPlain,
        @Nullable QuantizationReport quantization) {}
