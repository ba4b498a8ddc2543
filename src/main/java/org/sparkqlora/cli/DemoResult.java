package org.sparkqlora.cli;

/**
 * How a model does on what it was not fine-tuned on.
 *
 * @param loss over the held-out rows
 * @param answer to the sample question
 */
record DemoResult(double loss, String answer) {}
