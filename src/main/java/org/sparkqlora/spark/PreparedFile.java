package org.sparkqlora.spark;

import java.io.Serializable;

/**
 * A file of prepared rows.
 *
 * @param name in the prepared folder
 * @param rows how many rows it holds
 * @param sha256 of its bytes, in hexadecimal
 */
public record PreparedFile(String name, long rows, String sha256) implements Serializable {}
