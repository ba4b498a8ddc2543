package org.sparkqlora.spark.lineage;

/** A job, or a table of a catalog, as OpenLineage names it. */
public record LineageName(String namespace, String name) {}
