package org.sparkqlora.spark.source;

import java.io.Serializable;

/**
 * A file of records.
 *
 * @param path its full path, with the file system
 * @param length bytes
 * @param modified milliseconds since 1970
 * @param kind format of its records
 * @param compressed whether it is, as a whole
 */
public record SourceFile(String path, long length, long modified, SourceKind kind, boolean compressed)
        implements Serializable {
    /** Whether records can be found from any byte on. */
    boolean splittable() {
        return !compressed && kind != SourceKind.JSON_LIST;
    }
}
