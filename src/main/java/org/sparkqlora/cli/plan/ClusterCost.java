package org.sparkqlora.cli.plan;

import org.sparkqlora.model.layout.Method;
import org.sparkqlora.train.BatchShape;

/** The seconds of a step of one method on one number of executors. */
record ClusterCost(Method method, BatchShape step, StepCost seconds) {}
