package org.sparkqlora.ml;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.spark.ml.param.Params;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.options.UsedAdapters;
import org.sparkqlora.spark.cluster.Location;

/** The column of a table whose rows name the adapters that answer. */
final class AdapterColumn {
    static final String ADAPTERS = "adapters";
    static final String ADAPTER_COL = "adapterCol";

    private static final String ADAPTERS_DOC =
            "Further adapters over the same base, as name=folder in PEFT layout: each answers the rows that name it in adapterCol, and its loss is theirs.";
    private static final String ADAPTER_COL_DOC =
            "With adapters: column of their names. Rows without one get this model's own answer, those of "
                    + UsedAdapters.BASE + " that of the base alone.";

    private AdapterColumn() {}

    /** Adds the params of a model that may have several. */
    static StageParams add(StageParams params) {
        return params.withList(ADAPTERS, ADAPTERS_DOC).withColumn(ADAPTER_COL, ADAPTER_COL_DOC, UsedAdapters.COLUMN);
    }

    /** Those of a stage: its own, and those of its params, if it has such. */
    static UsedAdapters used(StageParams params, @Nullable Location own) {
        if (!params.has(ADAPTERS)) {
            return UsedAdapters.of(own, Map.of(), null);
        }

        Map<String, Location> named = named(params.list(ADAPTERS));
        return UsedAdapters.of(own, named, named.isEmpty() ? null : column(params));
    }

    /** The folders of what params {@code adapters} of a model name, if it has such. */
    static Stream<Location> folders(Params model) {
        return model.hasParam(ADAPTERS) && model.isSet(model.getParam(ADAPTERS))
                ? named(List.of((String[]) model.getOrDefault(model.getParam(ADAPTERS)))).values().stream()
                : Stream.empty();
    }

    private static Map<String, Location> named(List<String> adapters) {
        Map<String, Location> named = new LinkedHashMap<>();
        for (String adapter : adapters) {
            int equals = adapter.indexOf('=');
            if (equals < 1 || equals == adapter.length() - 1) {
                throw new BadInputException("%s: expected name=folder, found '%s'".formatted(ADAPTERS, adapter));
            }

            String name = adapter.substring(0, equals);
            if (named.put(name, Location.parse(adapter.substring(equals + 1))) != null) {
                throw new BadInputException("%s: expected one of the name %s, found several".formatted(ADAPTERS, name));
            }
        }

        return named;
    }

    /** The column of names in a table of {@code schema}; null values where the stage has no adapters that could be named. */
    static Column of(StageParams params, StructType schema) {
        return params.list(ADAPTERS).isEmpty()
                ? PromptColumn.NO_ADAPTER
                : of(column(params), schema, ADAPTER_COL, "the table");
    }

    /**
     * Column {@code name} of texts.
     *
     * @param option that names it
     * @param table for people
     */
    static Column of(String name, StructType schema, String option, String table) {
        boolean there = Arrays.asList(schema.fieldNames()).contains(name);
        if (!there || !(schema.apply(name).dataType() instanceof StringType)) {
            throw new BadInputException("%s: expected a column %s of the names of adapters in %s, found %s"
                    .formatted(
                            option,
                            name,
                            table,
                            there
                                    ? "one of " + schema.apply(name).dataType().simpleString()
                                    : "columns " + List.of(schema.fieldNames())));
        }

        return functions.col(RecordFields.quoted(name));
    }

    private static String column(StageParams params) {
        return params.text(ADAPTER_COL).orElse(UsedAdapters.COLUMN);
    }
}
