package org.sparkqlora.cli.plan;

import org.sparkqlora.model.Method;
import org.sparkqlora.train.BatchShape;

/** What a step of one method costs on one number of executors. */
record ClusterCost(Method method, BatchShape step, StepCost seconds) {}
