package org.sparkqlora.spark.mlflow;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.sparkqlora.spark.lineage.LineageDataset;
import org.sparkqlora.spark.lineage.LineageName;

/**
 * A data set that a run reads.
 *
 * @param name for people
 * @param digest the version of a table, or of the rows that were made of other data
 * @param context what for, such as {@code training}
 * @param sourceType MLflow's name of the kind of source
 * @param source where it lies, in MLflow's words for that kind
 */
public record MlflowInput(String name, String digest, String context, String sourceType, Map<String, String> source) {
    private static final int LONGEST_DIGEST = 36;
    private static final String PATH = "path";

    public MlflowInput {
        source = Collections.unmodifiableMap(new LinkedHashMap<>(source));
    }

    /** The data set, whose digest is {@code rows} where it has no version. */
    public static MlflowInput of(LineageDataset data, String context, String rows) {
        String version = data.version();
        LineageName table = data.symlink();
        String name = table == null ? data.name() : table.name();
        String digest = version == null ? rows.substring(0, Math.min(LONGEST_DIGEST, rows.length())) : version;
        String place = data.namespace().equals("file")
                ? data.name()
                : data.namespace() + "/" + data.name().replaceFirst("^/", "");
        Map<String, String> source = new LinkedHashMap<>();
        if (data.format() == null) {
            source.put("uri", place);
            return new MlflowInput(name, digest, context, scheme(data.namespace()), source);
        }

        source.put(PATH, place);
        if (!data.format().equals("delta")) {
            return new MlflowInput(name, digest, context, "spark", source);
        }

        if (table != null) {
            source.put("delta_table_name", table.name());
        }

        if (version != null) {
            source.put("delta_table_version", version);
        }

        return new MlflowInput(name, digest, context, "delta_table", source);
    }

    private static String scheme(String namespace) {
        return namespace.equals("file") ? "local" : namespace.replaceFirst(":.*", "");
    }
}
