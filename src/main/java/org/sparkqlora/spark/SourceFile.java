package org.sparkqlora.spark;

import java.io.Serializable;

/**
 * A file of JSON lines.
 *
 * @param path its full path, with the file system
 * @param length bytes
 * @param modified milliseconds since 1970
 * @param splittable whether lines can be found from any byte on, so not compressed
 */
record SourceFile(String path, long length, long modified, boolean splittable) implements Serializable {}
