package org.sparkqlora.spark;

import java.io.Serializable;

/**
 * Token ids of one text of many.
 *
 * @param number place among the texts, from 0
 */
record NumberedTokens(long number, int[] ids) implements Serializable {}
