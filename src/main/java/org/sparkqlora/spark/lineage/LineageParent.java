package org.sparkqlora.spark.lineage;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The run that started this one, such as a task of Airflow.
 *
 * @param root the run that started them all; null if it is not known
 */
public record LineageParent(
        UUID run, LineageName job, @Nullable LineageParent root) {}
