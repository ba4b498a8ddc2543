package org.sparkqlora.cli.demo;

/**
 * The loss and an answer of a model on held-out facts.
 *
 * @param loss over the held-out rows
 * @param answer to the sample question
 */
record DemoResult(double loss, String answer) {}
