package org.sparkqlora.spark.lineage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalog.Table;
import org.sparkqlora.spark.source.ListedSource;
import org.sparkqlora.spark.source.SourceTable;
import org.sparkqlora.storage.StorePath;

/** The data sets that a run reads, as OpenLineage's own integration of Spark names them. Driver only. */
public record LineageInputs(SparkSession session, Configuration configuration) {
    private static final Pattern GLOB = Pattern.compile("[*?\\[{]");
    private static final String SESSION_CATALOG = "spark_catalog";
    private static final String UNITY_CATALOG = "unity-catalog";

    /** The tables of a source, each with its version, and its other files as one data set at {@code place}. */
    public List<LineageDataset> of(String place, ListedSource source) {
        List<LineageDataset> datasets = new ArrayList<>();
        source.tables().forEach(table -> datasets.add(of(table)));
        if (!source.files().isEmpty()) {
            datasets.add(LineageDataset.at(folderOf(place)));
        }

        return datasets;
    }

    /** A table with its version. */
    public LineageDataset of(SourceTable table) {
        String version = table.version() == null ? null : String.valueOf(table.version());
        Optional<LineageName> name = table.isOfCatalog() ? Optional.of(nameOf(table)) : Optional.empty();
        return table.location(session)
                .map(location -> LineageDataset.at(new Path(location).toUri())
                        .withVersion(version)
                        .asTable(name.orElse(null), table.formatName(session).orElse(null)))
                .orElseGet(() -> name.map(view -> LineageDataset.named(view.namespace(), view.name()))
                        .orElseThrow());
    }

    private LineageName nameOf(SourceTable table) {
        Table found;
        try {
            found = session.catalog().getTable(table.name());
        } catch (Exception e) { // a checked exception of Spark's that no signature declares
            throw new IllegalStateException("Cannot find the %s, which was listed".formatted(table.told()), e);
        }

        String catalog = found.catalog() == null ? SESSION_CATALOG : found.catalog();
        List<String> parts = new ArrayList<>(found.namespace() == null ? List.of() : List.of(found.namespace()));
        parts.add(found.name());
        return new LineageName(namespaceOf(catalog), String.join(".", parts));
    }

    private String namespaceOf(String catalog) {
        if (!catalog.equals(SESSION_CATALOG)) {
            String settings = "spark.sql.catalog." + catalog;
            return setting(settings + ".uri")
                    .or(() -> setting(settings + ".warehouse"))
                    .map(LineageInputs::namespace)
                    .orElse(setting("spark.databricks.unityCatalog.enabled")
                            .map(enabled -> UNITY_CATALOG)
                            .orElse(catalog));
        }

        String metastore = configuration.get("hive.metastore.uris", "");
        return setting("spark.sql.catalogImplementation").filter("hive"::equals).isPresent() && !metastore.isEmpty()
                ? namespace(metastore.split(",", 2)[0])
                : namespace(session.conf().get("spark.sql.warehouse.dir"));
    }

    /** The namespace of a metastore or of a warehouse at an address. */
    private static String namespace(String address) {
        URI uri = new Path(address).toUri();
        if ("thrift".equals(uri.getScheme())) {
            return "hive://" + uri.getAuthority();
        }

        LineageDataset place = LineageDataset.at(uri);
        String separator = place.name().startsWith("/") ? "" : "/";
        return place.namespace().equals("file") ? "file:" + place.name() : place.namespace() + separator + place.name();
    }

    private Optional<String> setting(String name) {
        return session.conf().contains(name) ? Optional.of(session.conf().get(name)) : Optional.empty();
    }

    /** The address of a place, or of the folder in which a glob begins. */
    private URI folderOf(String place) {
        try {
            Path path = StorePath.parse(place);
            Path whole = StorePath.files(path, configuration).makeQualified(path);
            while (GLOB.matcher(whole.toString()).find()) {
                whole = whole.getParent();
            }

            return whole.toUri();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to open the file system of " + place, e);
        }
    }
}
