package org.sparkqlora.spark.prepare;

import java.io.Serializable;
import org.sparkqlora.tokenizer.packing.TokenRow;

/** Finds a number for each document of a row. Runs in a task. */
public interface RowScorer extends Serializable {
    /** A number for each document, in their order. */
    double[] score(TokenRow row);
}
