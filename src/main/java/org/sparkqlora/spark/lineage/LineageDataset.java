package org.sparkqlora.spark.lineage;

import java.net.URI;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A data set as OpenLineage names it: by where it lies.
 *
 * @param version the state of a table, or a hash; null for none
 * @param symlink its name in a catalog; null for none
 * @param format of a table, such as {@code delta}; null for others
 * @param size what was written; null for data that is read
 */
public record LineageDataset(
        String namespace,
        String name,
        @Nullable String version,
        @Nullable LineageName symlink,
        @Nullable String format,
        @Nullable Size size) {
    private static final String LOCAL = "file";

    /** Prefixes of schemes of object stores, whose data sets have the bucket as namespace, with the scheme that stands for all of them. */
    private static final Map<String, String> OBJECT_STORES =
            Map.of("s3", "s3", "gs", "gs", "abfs", "abfss", "wasb", "wasbs");

    /** Bytes in a number of files. */
    public record Size(long bytes, int files) {}

    /** The data at an address; one without a scheme is on this host. */
    public static LineageDataset at(URI address) {
        String path = address.getPath().replaceAll("/+$", "");
        String scheme = address.getScheme();
        if (scheme == null || scheme.equals(LOCAL)) {
            return named(LOCAL, path);
        }

        for (Map.Entry<String, String> store : OBJECT_STORES.entrySet()) {
            if (scheme.startsWith(store.getKey())) {
                return named(store.getValue() + "://" + address.getAuthority(), path.replaceFirst("^/+", ""));
            }
        }

        return named(address.getAuthority() == null ? scheme : scheme + "://" + address.getAuthority(), path);
    }

    /** A data set that lies nowhere that a URI names, such as a view. */
    public static LineageDataset named(String namespace, String name) {
        return new LineageDataset(namespace, name.isEmpty() ? "/" : name, null, null, null, null);
    }

    /** In a state of it. */
    public LineageDataset withVersion(@Nullable String state) {
        return new LineageDataset(namespace, name, state, symlink, format, size);
    }

    LineageDataset asTable(@Nullable LineageName inCatalog, @Nullable String ofFormat) {
        return new LineageDataset(namespace, name, version, inCatalog, ofFormat, size);
    }

    /** As it was written. */
    public LineageDataset written(@Nullable String state, Size much) {
        return new LineageDataset(namespace, name, state, symlink, format, much);
    }
}
