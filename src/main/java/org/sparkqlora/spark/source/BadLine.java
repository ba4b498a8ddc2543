package org.sparkqlora.spark.source;

import java.io.Serializable;

/**
 * A line that is no record.
 *
 * @param path its file
 * @param line its number in the file, from 1
 * @param problem expected and found
 */
public record BadLine(String path, long line, String problem) implements Serializable {}
