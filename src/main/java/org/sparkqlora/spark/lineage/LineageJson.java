package org.sparkqlora.spark.lineage;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A {@code RunEvent} of OpenLineage's specification 2-0-2, on one line. */
final class LineageJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String SPECIFICATION = "https://openlineage.io/spec/";
    private static final String EVENT = SPECIFICATION + "2-0-2/OpenLineage.json#/$defs/RunEvent";
    private static final String NAMESPACE = "namespace";
    private static final String NAME = "name";
    private static final String FACETS = "facets";

    private final LineageEvent event;
    private final String producer;

    private LineageJson(LineageEvent event) {
        this.event = event;
        this.producer = "urn:sparkqlora:spark-qlora:" + event.facts().producer();
    }

    static String write(LineageEvent event) {
        return new LineageJson(event).root().toString();
    }

    private ObjectNode root() {
        ObjectNode root = MAPPER.createObjectNode();
        root.put("eventType", event.type().name());
        root.put("eventTime", event.time().toString());
        root.put("producer", producer);
        root.put("schemaURL", EVENT);
        run(root.putObject("run"));
        job(root.putObject("job"));
        event.facts().inputs().forEach(input -> dataset(root.withArray("inputs").addObject(), input));
        event.outputs().forEach(output -> output(root.withArray("outputs").addObject(), output));
        return root;
    }

    private void run(ObjectNode run) {
        run.put("runId", event.run().toString());
        ObjectNode facets = run.putObject(FACETS);
        ObjectNode engine = facet(facets, "processing_engine", "1-1-1/ProcessingEngineRunFacet");
        engine.put("version", event.facts().spark());
        engine.put(NAME, "spark");
        engine.put("openlineageAdapterVersion", event.facts().producer());
        LineageFacts.LineageParent parent = event.facts().parent();
        if (parent != null) {
            parent(facet(facets, "parent", "1-2-0/ParentRunFacet"), parent);
        }

        failure(facets, event.failure());
    }

    private static void parent(ObjectNode facet, LineageFacts.LineageParent parent) {
        reference(facet, parent.run(), parent.job());
        LineageFacts.LineageParent root = parent.root();
        if (root != null) {
            reference(facet.putObject("root"), root.run(), root.job());
        }
    }

    private static void reference(ObjectNode into, UUID run, LineageName job) {
        into.putObject("run").put("runId", run.toString());
        into.putObject("job").put(NAMESPACE, job.namespace()).put(NAME, job.name());
    }

    private void failure(ObjectNode facets, @Nullable Throwable failure) {
        if (failure == null) {
            return;
        }

        StringWriter stack = new StringWriter();
        failure.printStackTrace(new PrintWriter(stack));
        ObjectNode facet = facet(facets, "errorMessage", "1-0-1/ErrorMessageRunFacet");
        facet.put("message", String.valueOf(failure.getMessage()));
        facet.put("programmingLanguage", "JAVA");
        facet.put("stackTrace", stack.toString());
    }

    private void job(ObjectNode job) {
        job.put(NAMESPACE, event.facts().job().namespace());
        job.put(NAME, event.facts().job().name());
        ObjectNode type = facet(job.putObject(FACETS), "jobType", "2-0-4/JobTypeJobFacet");
        type.put("processingType", "BATCH");
        type.put("integration", "SPARK_QLORA");
        type.put("jobType", event.facts().kind());
    }

    private ObjectNode dataset(ObjectNode into, LineageDataset dataset) {
        into.put(NAMESPACE, dataset.namespace()).put(NAME, dataset.name());
        ObjectNode facets = into.putObject(FACETS);
        if (dataset.version() != null) {
            facet(facets, "version", "1-0-1/DatasetVersionDatasetFacet").put("datasetVersion", dataset.version());
        }

        if (dataset.format() != null) {
            facet(facets, "storage", "1-0-1/StorageDatasetFacet").put("storageLayer", dataset.format());
        }

        LineageName symlink = dataset.symlink();
        if (symlink != null) {
            facet(facets, "symlinks", "1-0-1/SymlinksDatasetFacet")
                    .putArray("identifiers")
                    .addObject()
                    .put(NAMESPACE, symlink.namespace())
                    .put(NAME, symlink.name())
                    .put("type", "TABLE");
        }

        return into;
    }

    private void output(ObjectNode into, LineageDataset dataset) {
        dataset(into, dataset);
        LineageDataset.Size size = dataset.size();
        if (size != null) {
            facet(into.putObject("outputFacets"), "outputStatistics", "1-0-2/OutputStatisticsOutputDatasetFacet")
                    .put("size", size.bytes())
                    .put("fileCount", size.files());
        }
    }

    private ObjectNode facet(ObjectNode facets, String key, String schema) {
        String type = schema.substring(schema.indexOf('/') + 1);
        return facets.putObject(key)
                .put("_producer", producer)
                .put("_schemaURL", SPECIFICATION + "facets/" + schema + ".json#/$defs/" + type);
    }
}
