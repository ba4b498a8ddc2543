package org.sparkqlora.spark.job;

import java.io.Serializable;

/**
 * Token ids of one text of many.
 *
 * @param number place among the texts, from 0
 */
public record NumberedTokens(long number, int[] ids) implements Serializable {}
